/** Versions of a text, back and forth. Canvas and editor share them. */

export interface History {
  readonly past: readonly string[];
  readonly text: string;
  readonly future: readonly string[];
  /** What the last change was, and when: changes of one kind that follow quickly are one step. */
  readonly last: { kind: string; at: number } | undefined;
}

const STEPS = 500;
const TOGETHER_MS = 900;

export function begun(text: string): History {
  return { past: [], text, future: [], last: undefined };
}

/** A new version. With a `kind`, it joins a version of the same kind that was made just before. */
export function written(history: History, text: string, kind?: string, at = 0): History {
  if (text === history.text) return history;
  const { last, past } = history;
  const joins = kind !== undefined && last?.kind === kind && at - last.at < TOGETHER_MS;
  return {
    past: joins ? past : [...past, history.text].slice(-STEPS),
    text,
    future: [],
    last: kind === undefined ? undefined : { kind, at },
  };
}

export function undone(history: History): History {
  const text = history.past.at(-1);
  if (text === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    text,
    future: [history.text, ...history.future],
    last: undefined,
  };
}

export function redone(history: History): History {
  const [text, ...future] = history.future;
  if (text === undefined) return history;
  return { past: [...history.past, history.text], text, future, last: undefined };
}
