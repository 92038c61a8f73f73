import { yaml } from "@codemirror/lang-yaml";
import { foldGutter, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { unifiedMergeView } from "@codemirror/merge";
import { searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import styles from "./workflows.module.css";

const look = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", maxHeight: "70vh" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--text-faint)", border: "0" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
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
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--running)" },
  { tag: [tags.string, tags.content], color: "var(--text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--skipped)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--succeeded)", fontStyle: "italic" },
  {
    tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace],
    color: "var(--text-soft)",
  },
]);

interface SourceProps {
  text: string;
  /** An older text: what changed since is marked. */
  before?: string | undefined;
  label: string;
}

/** A workflow's text, to be read; with another, what is different. */
export default function Source({ text, before, label }: SourceProps) {
  const parent = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!parent.current) return;
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
    const view = new EditorView({
      parent: parent.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorView.cspNonce.of(nonce ?? ""),
          EditorView.editable.of(false),
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label }),
          keymap.of(searchKeymap),
          lineNumbers(),
          foldGutter(),
          yaml(),
          look,
          syntaxHighlighting(colours),
          before === undefined
            ? []
            : unifiedMergeView({
                original: before,
                mergeControls: false,
                collapseUnchanged: { margin: 4 },
              }),
        ],
      }),
    });
    return () => view.destroy();
  }, [text, before, label]);
  return <div ref={parent} className={styles.source} />;
}
