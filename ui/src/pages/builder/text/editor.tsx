import { autocompletion } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, Transaction } from "@codemirror/state";
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  tooltips,
} from "@codemirror/view";
import { useEffect, useRef } from "react";
import { codeLook } from "../../../kit/code";
import { indent } from "../../../kit/yaml/indent";
import { difference } from "../document/cuts";
import type { Problem } from "../state/problems";
import type { TextStore } from "../state/text-store";
import { completions } from "./completions";
import styles from "./text.module.css";

export interface EditorProps {
  store: TextStore;
  problems: readonly Problem[];
  /** A line to show; a new object for each time. */
  line: { line: number; column: number } | undefined;
  onType: (text: string) => void;
  onUndo: () => void;
  onRedo: () => void;
  /** The line that the cursor went to, by somebody's hand. */
  onLine: (line: number) => void;
}

/** The text of the workflow. It has no history of its own: the canvas and it share one. */
export default function Editor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { store, problems, line } = props;

  useEffect(() => {
    // The text that it shows: what is typed comes back from the store as the same.
    let shown = store.text();
    const view = new EditorView({
      ...(host.current && { parent: host.current }),
      state: EditorState.create({
        doc: shown,
        extensions: [
          lineNumbers(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          search({ top: true }),
          lintGutter(),
          indent,
          tooltips({ parent: document.body }),
          autocompletion({ override: [completions], icons: false }),
          codeLook(),
          EditorState.tabSize.of(2),
          EditorView.contentAttributes.of({
            "aria-label": "Text of the workflow (YAML)",
            tabindex: "0",
          }),
          keymap.of([
            { key: "Mod-z", run: () => called(latest.current.onUndo), preventDefault: true },
            { key: "Mod-y", run: () => called(latest.current.onRedo), preventDefault: true },
            { key: "Mod-Shift-z", run: () => called(latest.current.onRedo), preventDefault: true },
            indentWithTab,
            ...searchKeymap,
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            const typed = update.transactions.some((one) => one.annotation(Transaction.userEvent));
            if (update.docChanged && typed) {
              shown = update.state.doc.toString();
              latest.current.onType(shown);
            }
            if (update.selectionSet && typed) {
              latest.current.onLine(
                update.state.doc.lineAt(update.state.selection.main.head).number,
              );
            }
          }),
        ],
      }),
    });
    editor.current = view;
    const end = store.listen(() => {
      const changes = difference(shown, store.text());
      if (!changes) return;
      shown = store.text();
      view.dispatch({ changes });
    });
    return () => {
      end();
      view.destroy();
    };
  }, [store]);

  useEffect(() => {
    const view = editor.current;
    if (view) view.dispatch(setDiagnostics(view.state, diagnosticsOf(view, problems)));
  }, [problems]);

  useEffect(() => {
    const view = editor.current;
    if (!view || !line) return;
    const at = view.state.doc.line(Math.min(line.line, view.state.doc.lines));
    const anchor = Math.min(at.from + line.column - 1, at.to);
    view.dispatch({
      selection: { anchor },
      effects: EditorView.scrollIntoView(anchor, { y: "center" }),
    });
  }, [line]);

  return <div ref={host} className={styles.editor} />;
}

function called(action: () => void): boolean {
  action();
  return true;
}

function diagnosticsOf({ state: { doc } }: EditorView, problems: readonly Problem[]) {
  const offset = (line: number, column: number) => {
    const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
    return Math.min(at.from + Math.max(0, column - 1), at.to);
  };
  return problems.map((problem) => {
    const from = offset(problem.line, problem.column);
    const to = Math.max(from, offset(problem.endLine, problem.endColumn));
    const help = problem.help ? `\n${problem.help}` : "";
    return { from, to, severity: problem.severity, message: `${problem.message}${help}` };
  });
}
