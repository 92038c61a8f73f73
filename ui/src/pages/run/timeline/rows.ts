/** What the timeline draws of a task: pieces of time, and which of them is meant by a place. */

import { duration } from "../../../kit/time";
import type { Tone } from "../../../kit/tone";
import { lookOf } from "../../../kit/tone";
import type { AttemptState, TaskState } from "../model/state";
import { firstLine, skippedBecause } from "../words";

/** A piece of a task's time. */
export interface Piece {
  kind: "waiting" | "queued" | "working" | "backoff";
  tone: Tone;
  from: number;
  to: number;
  attempt: AttemptState | undefined;
}

/** The pieces of a task up to now, in the order in which they are drawn. */
export function piecesOf(task: TaskState, now: number): Piece[] {
  const pieces: Piece[] = [];
  const ready = task.readyAt ?? task.attempts[0]?.readyAt ?? task.settledAt ?? now;
  const add = (
    kind: Piece["kind"],
    tone: Tone,
    from: number,
    to: number,
    attempt?: AttemptState,
  ) => {
    if (to > from) pieces.push({ kind, tone, from, to, attempt });
  };
  add("waiting", "waiting", task.waitingSince, ready);
  if (task.attempts.length === 0 && task.readyAt !== undefined) {
    add("queued", "waiting", ready, task.settledAt ?? now);
  }
  for (const attempt of task.attempts) {
    const start = attempt.startedAt ?? attempt.endedAt ?? now;
    add("queued", "waiting", attempt.readyAt, start, attempt);
    if (attempt.startedAt !== undefined) {
      // What took no time at all is still to be seen.
      const end = Math.max(attempt.endedAt ?? now, attempt.startedAt + 0.5);
      add("working", lookOf(attempt.result).tone, attempt.startedAt, end, attempt);
    }
    if (attempt.retryAt !== undefined && attempt.endedAt !== undefined) {
      add("backoff", "paused", attempt.endedAt, attempt.retryAt, attempt);
    }
  }
  if (task.attempts.length === 0 && task.phase === "failed" && task.settledAt !== undefined) {
    add("working", "failed", task.settledAt, task.settledAt + 0.5);
  }
  // Work is drawn over the waits of other items.
  return pieces.sort((a, b) => Number(a.kind === "working") - Number(b.kind === "working"));
}

/** When a task first did something; tasks that did nothing come last. */
function beginning(task: TaskState): number {
  return task.attempts[0]?.startedAt ?? task.readyAt ?? task.settledAt ?? Number.POSITIVE_INFINITY;
}

/** Tasks in the order in which they began. */
export function inOrder(tasks: TaskState[]): TaskState[] {
  return tasks
    .map((task, at) => ({ task, at, begin: beginning(task) }))
    .sort((a, b) => (a.begin === b.begin ? a.at - b.at : a.begin - b.begin))
    .map(({ task }) => task);
}

/** From when to when there is something to see. */
export function spanOf(
  tasks: TaskState[],
  start: number | undefined,
  end: number,
): [number, number] {
  let first = start ?? Number.POSITIVE_INFINITY;
  for (const task of tasks) first = Math.min(first, task.waitingSince);
  if (!Number.isFinite(first)) first = end - 1000;
  return [first, Math.max(end, first + 10)];
}

/** Distances of marks that people read easily, in milliseconds. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  [1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  [1, 2, 4, 8, 12, 24, 48, 168].map((hours) => hours * 3_600_000),
);

/** Marks of the axis, as milliseconds from the start. */
export function marksOf(from: number, to: number, most: number): number[] {
  const step = STEPS.find((size) => (to - from) / size <= most) ?? (to - from) / most;
  const marks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push(at);
  return marks;
}

/** What a piece is, in a sentence. */
export function pieceSays(task: TaskState, piece: Piece): string {
  const took = duration(piece.to - piece.from);
  const which = piece.attempt ? nameOf(piece.attempt) : "";
  switch (piece.kind) {
    case "waiting":
      return `Waited for others for ${took}`;
    case "queued":
      return `${which || "It"} waited its turn for ${took}`;
    case "backoff":
      return `Waits ${took} before the next attempt`;
    case "working": {
      const result = piece.attempt?.result ?? "running";
      const error = result === "failed" && task.failure ? `: ${firstLine(task.failure)}` : "";
      return `${which} ${result}${result === "running" ? " for" : " after"} ${took}${error}`;
    }
  }
}

/** A task's whole time in a sentence, for those who do not see the bars. */
export function rowSays(task: TaskState, start: number): string {
  const first = task.attempts[0]?.startedAt;
  const last = task.attempts.at(-1);
  const label = lookOf(task.phase).label;
  if (task.phase === "skipped") return `${task.name}, skipped: ${skippedBecause(task.skipped)}`;
  if (first === undefined) return `${task.name}, ${label}`;
  const end = last?.endedAt === undefined ? "" : `, ended after ${duration(last.endedAt - start)}`;
  return `${task.name}, ${label}, started after ${duration(Math.max(0, first - start))}${end}`;
}

function nameOf(attempt: AttemptState): string {
  return `${attempt.item === undefined ? "" : `Item ${attempt.item}, `}attempt ${attempt.attempt}`;
}
