/** Where tasks stand on the canvas. The document says nothing of it: places are kept beside it. */

import type { Link, Task } from "../document/view";

export interface Place {
  x: number;
  y: number;
}

/** Places by the ids of tasks. */
export type Places = Readonly<Record<string, Place>>;

/** The size of a task on the canvas. */
export const SIZE = { width: 216, height: 62 };
const STEP = { x: SIZE.width + 40, y: SIZE.height + 62 };

/**
 * A place for every task: those that have one keep it, others stand below what they wait for. The same
 * object where no task came or went.
 */
export function placed(
  tasks: readonly Task[],
  links: readonly Link[],
  places: Places,
  before: readonly Task[] = [],
): Places {
  const ids = new Set(tasks.map(({ id }) => id));
  const known = Object.keys(places);
  if (known.length === ids.size && known.every((id) => ids.has(id))) return places;
  const out: Record<string, Place> = {};
  for (const { id } of tasks) {
    const place = places[id];
    if (place) out[id] = place;
  }
  for (const task of tasks) {
    if (out[task.id]) continue;
    // A task at the same place of the text under another name is the same, renamed.
    const old = before[task.index];
    const renamed = old && !ids.has(old.id) && before.length === tasks.length;
    const place = renamed ? places[old.id] : undefined;
    out[task.id] = place ?? freePlace(out, below(task, links, out));
  }
  return out;
}

/** Whether so few tasks have places that all should be laid out anew. */
export function wantsLayout(tasks: readonly Task[], places: Places): boolean {
  const known = tasks.filter(({ id }) => places[id]).length;
  return tasks.length > 1 && known < tasks.length / 2;
}

function below(task: Task, links: readonly Link[], places: Places): Place {
  const above = links
    .filter(({ to }) => to === task.id)
    .map(({ from }) => places[from])
    .filter((place) => place !== undefined);
  const all = above.length > 0 ? above : Object.values(places);
  if (all.length === 0) return { x: 0, y: 0 };
  return {
    x:
      above.length > 0 ? above.reduce((sum, { x }) => sum + x, 0) / above.length : (all[0]?.x ?? 0),
    y: Math.max(...all.map(({ y }) => y)) + STEP.y,
  };
}

/** The wanted place, or the next one to its right where nobody stands. */
export function freePlace(places: Places, wanted: Place): Place {
  const taken = Object.values(places);
  const place = { x: Math.round(wanted.x / 8) * 8, y: Math.round(wanted.y / 8) * 8 };
  while (taken.some((other) => overlap(other, place))) place.x += STEP.x;
  return place;
}

function overlap(a: Place, b: Place): boolean {
  return Math.abs(a.x - b.x) < SIZE.width + 16 && Math.abs(a.y - b.y) < SIZE.height + 16;
}
