/** The document under work: its text, what the text says, and the way back. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Change, changed } from "../document/change";
import { begun, type History, redone, undone, written } from "../document/history";
import type { Slip } from "../document/source";
import { type View, view } from "../document/view";

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

export function useDocument(initial: string): { text: string; work: Work } {
  const [history, setHistory] = useState<History>(() => begun(initial));
  const latest = useRef(history);
  const [shown, setShown] = useState(() => ({ sound: view(initial), last: view(initial) }));
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);

  const look = useCallback((text: string) => {
    clearTimeout(rest.current);
    setShown((before) => {
      if (before.last.source.text === text) return before;
      const last = view(text);
      return { last, sound: last.slips.length === 0 ? last : before.sound };
    });
  }, []);
  const put = useCallback(
    (next: History, later = false) => {
      if (next === latest.current) return;
      latest.current = next;
      setHistory(next);
      clearTimeout(rest.current);
      if (later) rest.current = setTimeout(() => look(next.text), REST_MS);
      else look(next.text);
    },
    [look],
  );
  useEffect(() => () => clearTimeout(rest.current), []);

  const write = useCallback(
    (text: string, kind?: string) =>
      put(written(latest.current, text, kind, performance.now()), kind === "typing"),
    [put],
  );
  const change = useCallback(
    (change: Change, kind?: string) => write(changed(latest.current.text, change), kind),
    [write],
  );
  const undo = useCallback(() => put(undone(latest.current)), [put]);
  const redo = useCallback(() => put(redone(latest.current)), [put]);
  const canUndo = history.past.length > 0;
  const canRedo = history.future.length > 0;
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
  return { text: history.text, work };
}
