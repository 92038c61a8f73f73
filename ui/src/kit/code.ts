/** How editors of workflow files look, on all pages. */

import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { highlight } from "./yaml/highlight";

const theme = EditorView.theme({
  // What hovers above an editor may stand elsewhere, with the same look.
  "&": { color: "var(--text)", fontSize: "12.5px" },
  "&.cm-editor": { height: "100%", backgroundColor: "var(--surface)" },
  // Where something can be written, the cursor shows who has the keyboard.
  "&.cm-focused": { outline: "none" },
  "&.cm-focused:has([aria-readonly=true])": {
    outline: "2px solid var(--focus)",
    outlineOffset: "-2px",
  },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-y-key": { color: "var(--accent)" },
  ".cm-y-remark": { color: "var(--text-faint)", fontStyle: "italic" },
  ".cm-y-word": { color: "var(--skipped)" },
  ".cm-y-mark": { color: "var(--text-faint)" },
  ".cm-y-name": { color: "var(--paused)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--text-faint)",
    border: "0",
    borderRight: "1px solid var(--line)",
  },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  ".cm-content ::selection": {
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
  // The diff brings colours of its own, which know nothing of light and dark as chosen here.
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "var(--succeeded-soft) !important" },
  ".cm-deletedChunk": { backgroundColor: "var(--failed-soft) !important", color: "var(--text)" },
  ".cm-changedText": { background: "none !important", textDecoration: "underline" },
  ".cm-deletedText": { background: "none !important", textDecoration: "line-through" },
  ".cm-collapsedLines": {
    background: "var(--sunken) !important",
    color: "var(--text-soft)",
    padding: "5px 12px",
  },
  // Its ornaments are in few fonts.
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '"" !important' },
});

/** Colours of the pages, and the word by which their policy lets the editor's style in. */
export function codeLook(): Extension {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
  return [theme, highlight, nonce ? EditorView.cspNonce.of(nonce) : []];
}
