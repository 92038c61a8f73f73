import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useMemo, useRef } from "react";
import { stringify } from "yaml";
import { codeLook } from "../../kit/code";
import { Loading } from "../../kit/states";
import styles from "./text.module.css";
import { type Place, placesOf } from "./text-place";
import { useDocument } from "./use-document";
import { useWatched } from "./use-live";

/** The workflow's text, with the place of the selected task. */
export default function Text({ selected }: { selected: string | undefined }) {
  const { submission } = useWatched();
  const { source, isLoading } = useDocument();
  const text = useMemo(
    () => source ?? stringify({ workflow: submission.definition }),
    [source, submission],
  );
  const places = useMemo(() => placesOf(text), [text]);
  if (isLoading) return <Loading what="the text" />;
  return (
    <div className={styles.text}>
      {source === undefined && (
        <p className={styles.remark}>
          This version was not registered here. This is the checked workflow, as the run keeps it.
        </p>
      )}
      <Editor text={text} place={selected === undefined ? undefined : places.get(selected)} />
    </div>
  );
}

const setPlace = StateEffect.define<Place | undefined>();

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) {
      if (effect.is(setPlace)) return marksOf(change.state, effect.value);
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marksOf(state: EditorState, place: Place | undefined): DecorationSet {
  if (!place) return Decoration.none;
  const line = Decoration.line({ class: styles.marked ?? "" });
  const ranges = [];
  const first = state.doc.lineAt(place.from).number;
  // A task ends behind its last character, which is the next line's first.
  const last = state.doc.lineAt(Math.max(place.from, place.to - 1)).number;
  for (let at = first; at <= last; at += 1) ranges.push(line.range(state.doc.line(at).from));
  return Decoration.set(ranges);
}

function Editor({ text, place }: { text: string; place: Place | undefined }) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  useEffect(() => {
    if (!box.current) return;
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          codeLook(),
          lineNumbers(),
          marked,
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ "aria-label": "Text of the workflow" }),
        ],
      }),
    });
    // What scrolls has to be reachable by keys, also where nothing can be written.
    made.scrollDOM.tabIndex = 0;
    view.current = made;
    return () => made.destroy();
  }, [text]);
  useEffect(() => {
    const scroll = place
      ? [EditorView.scrollIntoView(place.from, { y: "start", yMargin: 60 })]
      : [];
    view.current?.dispatch({ effects: [setPlace.of(place), ...scroll] });
  }, [place]);
  return <div ref={box} className={styles.editor} />;
}
