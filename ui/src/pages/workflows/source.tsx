import { yaml } from "@codemirror/lang-yaml";
import { foldGutter } from "@codemirror/language";
import { unifiedMergeView } from "@codemirror/merge";
import { searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { codeLook } from "../../kit/code";
import styles from "./workflows.module.css";

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
    const view = new EditorView({
      parent: parent.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          codeLook(),
          EditorView.editable.of(false),
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label }),
          keymap.of(searchKeymap),
          lineNumbers(),
          foldGutter(),
          yaml(),
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
