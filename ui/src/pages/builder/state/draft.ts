/** Work that is not saved, kept by the browser so that it survives a closed tab. */

import type { Places } from "../canvas/places";

export interface Draft {
  text: string;
  places: Places;
  /** When it was kept, in milliseconds. */
  at: number;
}

/** Where the draft of a workflow is kept; that of a new one without its name. */
export function draftKey(namespace?: string, name?: string): string {
  return name === undefined ? "loom.draft" : `loom.draft:${namespace}/${name}`;
}

export function keepDraft(key: string, draft: Draft): void {
  try {
    localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // A browser that has no room keeps the tab's own copy alone.
  }
}

export function readDraft(key: string): Draft | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    if (typeof kept !== "object" || kept === null || !("text" in kept)) return undefined;
    const { text, places, at } = kept as Partial<Draft>;
    if (typeof text !== "string") return undefined;
    return { text, places: places ?? {}, at: typeof at === "number" ? at : 0 };
  } catch {
    return undefined;
  }
}

export function dropDraft(key: string): void {
  localStorage.removeItem(key);
}

/** Where the tasks of a workflow that is saved stand, for the next time that it is opened here. */
export function keepPlaces(key: string, places: Places): void {
  try {
    localStorage.setItem(`${key}.places`, JSON.stringify(places));
  } catch {
    // Without room, it is laid out anew.
  }
}

export function readPlaces(key: string): Places {
  try {
    return (JSON.parse(localStorage.getItem(`${key}.places`) ?? "{}") ?? {}) as Places;
  } catch {
    return {};
  }
}
