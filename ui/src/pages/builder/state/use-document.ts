/** The document under work: its text, what the text says, and the way back. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Change, changed } from "../document/change";
import { type History, redone, undone, written } from "../document/history";
import type { Slip } from "../document/source";
import { type View, view } from "../document/view";
import { Reader } from "./reader";
import { TextStore, useOfText } from "./text-store";

/** How long somebody who types has to rest before the canvas follows. */
const REST_MS = 150;

/** The document but for its text, which changes with every letter. */
export interface Work {
  /** What the text says; while it is no YAML, what it said last. */
  view: View;
  /** Why the text is no YAML. */
  slips: readonly Slip[];
  /** Changes what the text says, and nothing else of it. */
  change: (change: Change, kind?: string) => void;
  /** Replaces the text. */
  write: (text: string, kind?: string) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
}

export function useDocument(initial: string): { store: TextStore; work: Work } {
  const [store] = useState(() => new TextStore(initial));
  const [shown, setShown] = useState(() => {
    const first = view(initial);
    return { sound: first, last: first };
  });
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [reader] = useState(() => new Reader());
  useEffect(
    () => () => {
      clearTimeout(rest.current);
      reader.end();
    },
    [reader],
  );

  const show = useCallback(
    (last: View) => {
      // What was read while somebody typed on is of no use.
      if (last.text !== store.text()) return;
      setShown((before) => ({ last, sound: last.slips.length === 0 ? last : before.sound }));
    },
    [store],
  );
  const put = useCallback(
    (next: History, later = false) => {
      if (next === store.history) return;
      store.put(next);
      clearTimeout(rest.current);
      if (later) rest.current = setTimeout(() => reader.read(next.text, show), REST_MS);
      else show(view(next.text));
    },
    [store, reader, show],
  );

  const write = useCallback(
    (text: string, kind?: string) =>
      put(written(store.history, text, kind, performance.now()), kind === "typing"),
    [store, put],
  );
  const change = useCallback(
    (change: Change, kind?: string) => write(changed(store.text(), change), kind),
    [store, write],
  );
  const undo = useCallback(() => put(undone(store.history)), [store, put]);
  const redo = useCallback(() => put(redone(store.history)), [store, put]);
  const canUndo = useOfText(store, ({ past }) => past.length > 0);
  const canRedo = useOfText(store, ({ future }) => future.length > 0);
  const work = useMemo(
    () => ({
      view: shown.sound,
      slips: shown.last.slips,
      change,
      write,
      undo: canUndo ? undo : undefined,
      redo: canRedo ? redo : undefined,
    }),
    [shown, change, write, undo, redo, canUndo, canRedo],
  );
  return { store, work };
}
