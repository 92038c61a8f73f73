/** How the text looks: the colours of all pages. */

import { EditorView } from "@codemirror/view";
import { highlight } from "./highlight";

/** What the page's policy asks of styles that are added while it is shown. */
export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

const theme = EditorView.theme({
  "&": {
    height: "100%",
    color: "var(--text)",
    backgroundColor: "var(--surface)",
    fontSize: "12.5px",
  },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-y-key": { color: "var(--accent)" },
  ".cm-y-remark": { color: "var(--text-faint)", fontStyle: "italic" },
  ".cm-y-word": { color: "var(--skipped)" },
  ".cm-y-mark": { color: "var(--text-faint)" },
  ".cm-y-name": { color: "var(--paused)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--text-faint)",
    border: "0",
    borderRight: "1px solid var(--line)",
  },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    {
      backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent)",
    },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--accent) 14%, transparent)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-textfield": {
    backgroundColor: "var(--surface)",
    color: "var(--text)",
    borderColor: "var(--line-strong)",
  },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--surface)",
    color: "var(--text)",
    borderColor: "var(--line-strong)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    border: "1px solid var(--line)",
    borderRadius: "8px",
    boxShadow: "var(--shadow-2)",
    maxWidth: "60ch",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--text)",
  },
  ".cm-completionInfo": { padding: "6px 10px", maxWidth: "44ch" },
  ".cm-diagnostic": { padding: "6px 10px", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--failed)" },
  ".cm-diagnostic-warning": { borderLeft: "4px solid var(--paused)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--failed) 1px",
    textUnderlineOffset: "3px",
  },
  ".cm-lintRange-warning": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--paused) 1px",
    textUnderlineOffset: "3px",
  },
  ".cm-lint-marker": { width: "11px", height: "11px", content: '""', borderRadius: "50%" },
  ".cm-lint-marker-error": { content: '""', backgroundColor: "var(--failed)" },
  ".cm-lint-marker-warning": {
    content: '""',
    backgroundColor: "var(--paused)",
    borderRadius: "2px",
  },
  ".cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--failed-soft)" },
  ".cm-merge-b .cm-changedLine, .cm-insertedLine, &.cm-merge-b .cm-changedLine": {
    backgroundColor: "var(--succeeded-soft)",
  },
  ".cm-changedText, .cm-deletedText": { background: "none", fontWeight: "700" },
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: "none !important" },
  ".cm-collapsedLines": {
    backgroundColor: "var(--sunken)",
    backgroundImage: "none",
    color: "var(--text-soft)",
  },
});

export const appearance = [theme, highlight];
