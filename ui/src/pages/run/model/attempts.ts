/**
 * The attempts of tasks that are kept at hand: the newest ones, so that a run that goes on for days
 * takes no more room than one of minutes. Lists change in place, for they may be long.
 */

import type { AttemptState, TaskState } from "./state";

/** Attempts of one task that are kept. */
export const KEPT_OF_TASK = 1000;
/** Attempts of all tasks together that are kept; a run of many tasks keeps a few of each. */
export const KEPT_OF_RUN = 20_000;
const LEAST_OF_TASK = 4;

/** Old ones go rarely and many at once: to let one go moves all others. */
const SLACK = 1.25;

export interface Attempted {
  attempt: number;
  item?: number | null;
}

/** Takes up what is known of an attempt now; whether it is one more. */
export function takeAttempt(
  task: TaskState,
  which: Attempted,
  change: Partial<AttemptState>,
  at: number,
): boolean {
  const { attempts } = task;
  const item = which.item ?? undefined;
  const place = placeOf(attempts, which.attempt, item);
  const known = attempts[place];
  if (known) {
    attempts[place] = { ...known, ...change };
    return false;
  }
  const last = attempts.findLast((other) => other.item === item);
  const readyAt = last?.retryAt ?? last?.endedAt ?? task.readyAt ?? at;
  attempts.push({ ...begun(which.attempt, item, Math.min(readyAt, at)), ...change });
  return true;
}

/** The attempts after those that were under way have been cancelled, of one item or of all. */
export function cancelled(task: TaskState, item: number | undefined, at: number): AttemptState[] {
  return task.attempts.map((attempt) =>
    attempt.endedAt === undefined && (item === undefined || attempt.item === item)
      ? { ...attempt, result: "cancelled", endedAt: at }
      : attempt,
  );
}

/** How many old attempts of a task are to go, looking at this task alone. */
export function overOfTask(task: TaskState): number {
  const { length } = task.attempts;
  return length > KEPT_OF_TASK * SLACK ? length - KEPT_OF_TASK : 0;
}

/** Whether a run of so many tasks has too many attempts in all. */
export function isOverOfRun(attempts: number, tasks: number): boolean {
  return attempts > SLACK * keptOfRun(tasks);
}

/**
 * How many attempts each task may keep so that all together are no more than are kept of a run:
 * tasks with few lose none.
 */
export function shareOf(lengths: readonly number[]): number {
  const most = keptOfRun(lengths.length);
  let [low, high] = [LEAST_OF_TASK, KEPT_OF_TASK];
  while (low < high) {
    const share = Math.ceil((low + high) / 2);
    const sum = lengths.reduce((sum, length) => sum + Math.min(length, share), 0);
    if (sum <= most) low = share;
    else high = share - 1;
  }
  return low;
}

function keptOfRun(tasks: number): number {
  return Math.max(KEPT_OF_RUN, LEAST_OF_TASK * tasks);
}

function placeOf(attempts: AttemptState[], attempt: number, item: number | undefined): number {
  const last = attempts.at(-1);
  // Attempts of one task come in order: a later one is not there yet.
  if (!last || (item === undefined && last.attempt < attempt)) return -1;
  return attempts.findLastIndex((other) => other.attempt === attempt && other.item === item);
}

function begun(attempt: number, item: number | undefined, readyAt: number): AttemptState {
  return {
    attempt,
    item,
    readyAt,
    startedAt: undefined,
    endedAt: undefined,
    retryAt: undefined,
    result: "held",
  };
}
