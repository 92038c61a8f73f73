/** The text with its history. Who follows every letter listens to it; nobody else is troubled. */

import { createContext, useContext, useSyncExternalStore } from "react";
import { begun, type History } from "../document/history";

export class TextStore {
  #history: History;
  readonly #listeners = new Set<() => void>();

  constructor(text: string) {
    this.#history = begun(text);
  }

  get history(): History {
    return this.#history;
  }

  readonly text = () => this.#history.text;

  readonly listen = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  put(next: History): void {
    this.#history = next;
    for (const listener of this.#listeners) listener();
  }
}

/** What is true of the text as it stands; only another answer is news. */
export function useOfText<T extends string | boolean>(
  store: TextStore,
  of: (history: History) => T,
): T {
  return useSyncExternalStore(store.listen, () => of(store.history));
}

const Context = createContext<TextStore | null>(null);

export const TextProvider = Context.Provider;

export function useTextStore(): TextStore {
  const store = useContext(Context);
  if (!store) throw new Error("there is no text around this");
  return store;
}

/** The text as it stands, for those who follow every letter. */
export function useText(): string {
  const store = useTextStore();
  return useSyncExternalStore(store.listen, store.text);
}
