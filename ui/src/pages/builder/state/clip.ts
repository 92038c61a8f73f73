/** Copy, cut and paste by keys, as text: it goes from tab to tab, and into mails. */

import { useEffect, useRef } from "react";
import { all, unlinked } from "../document/change";
import { copied, pasted } from "../document/clipboard";
import { type Bench, NOTHING } from "./bench";

export function copyTasks({ view, selected }: Bench): string {
  const indexes = view.tasks
    .filter(({ id }) => selected.tasks.includes(id))
    .map(({ index }) => index);
  return copied(view, indexes);
}

/** Whether there was something to paste. */
export function pasteTasks(bench: Bench, text: string): boolean {
  if (!bench.sound) return false;
  const found = pasted(bench.view, text);
  if (!found) return false;
  bench.change(found.change);
  bench.select(found.names);
  return true;
}

/** Listens to the keys of the whole page, but not of what somebody types into. */
export function useKeys(bench: Bench, onSave: () => void): void {
  const latest = useRef({ bench, onSave });
  latest.current = { bench, onSave };
  useEffect(() => {
    const end = new AbortController();
    const { signal } = end;
    const own = (event: Event) => !isTyped(event.target);
    const onCopy = (event: ClipboardEvent) => {
      const { bench } = latest.current;
      if (!own(event) || bench.selected.tasks.length === 0 || getSelection()?.toString()) return;
      event.clipboardData?.setData("text/plain", copyTasks(bench));
      event.preventDefault();
      if (event.type === "cut" && bench.sound) bench.removeTasks(bench.selected.tasks);
    };
    const onPaste = (event: ClipboardEvent) => {
      if (!own(event)) return;
      if (pasteTasks(latest.current.bench, event.clipboardData?.getData("text/plain") ?? "")) {
        event.preventDefault();
      }
    };
    const onKey = (event: KeyboardEvent) => key(event, latest.current, own(event));
    document.addEventListener("copy", onCopy, { signal });
    document.addEventListener("cut", onCopy, { signal });
    document.addEventListener("paste", onPaste, { signal });
    document.addEventListener("keydown", onKey, { signal });
    return () => end.abort();
  }, []);
}

function key(event: KeyboardEvent, at: { bench: Bench; onSave: () => void }, own: boolean): void {
  const { bench, onSave } = at;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && own) bench.select(NOTHING.tasks);
  const link = bench.view.links.find(({ id }) => id === bench.selected.links[0]);
  if (event.key === "F2" && own && link && bench.sound) bench.askName(link.variables);
  if ((event.key === "Delete" || event.key === "Backspace") && own) removeSelected(bench);
  if (!event.ctrlKey && !event.metaKey) return;
  const letter = event.key.toLowerCase();
  if (letter === "s") {
    event.preventDefault();
    onSave();
  }
  if (!own) return;
  const back = letter === "z" && !event.shiftKey;
  const forth = letter === "y" || (letter === "z" && event.shiftKey);
  if (back || forth) {
    event.preventDefault();
    (back ? bench.undo : bench.redo)?.();
  }
  if (
    letter === "a" &&
    event.target instanceof Element &&
    event.target.closest('[aria-label="Canvas"]')
  ) {
    event.preventDefault();
    bench.select(bench.view.tasks.map(({ id }) => id));
  }
}

function removeSelected({ selected, sound, view, removeTasks, change }: Bench): void {
  if (!sound) return;
  if (selected.tasks.length > 0) {
    removeTasks(selected.tasks);
    return;
  }
  const links = view.links.filter(({ id }) => selected.links.includes(id));
  change(all(...links.map((link) => unlinked(link, view.tasks))));
}

function isTyped(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
