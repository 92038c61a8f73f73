/** A run as its events tell it: the states of tasks, for the canvas. */

import type { Schema } from "../../../api/client";
import { skippedBecause } from "../../run/words";

export interface LiveTask {
  state: string;
  /** Why it failed or was skipped, in one sentence, and the last lines that it wrote. */
  why: { message: string; tail: readonly string[] } | undefined;
  /** Attempts that are under way: for `for_each`, one for each item. */
  running: number;
}

export interface LiveRun {
  id: string;
  state: string;
  tasks: ReadonlyMap<string, LiveTask>;
  /** How many attempts are under way. */
  busy: number;
}

export function unstarted(id: string): LiveRun {
  return { id, state: "queued", tasks: new Map(), busy: 0 };
}

/** An event, as far as this looks at it. */
interface Told {
  type: string;
  task?: string;
  item?: number | null;
  outcome?: string;
  retry_at?: string | null;
  failure?: Schema<"FailureEvent">;
  /** Why a task was skipped. */
  reason?: Record<string, unknown>;
}

const RUN_STATES: Record<string, string> = {
  "run.started": "running",
  "run.paused": "paused",
  "run.resumed": "running",
  "run.reopened": "running",
};

const FRESH: LiveTask = { state: "waiting", why: undefined, running: 0 };

/** The run after these events. */
export function told(run: LiveRun, events: readonly Told[]): LiveRun {
  const tasks = new Map(run.tasks);
  let { state } = run;
  for (const event of events) {
    state =
      event.type === "run.finished" ? (event.outcome ?? state) : (RUN_STATES[event.type] ?? state);
    if (event.type === "run.reopened") reopen(tasks);
    if (event.task === undefined) continue;
    const next = taskAfter(tasks.get(event.task) ?? FRESH, event);
    if (next) tasks.set(event.task, next);
  }
  let busy = 0;
  for (const { running } of tasks.values()) busy += running;
  return { id: run.id, state, tasks, busy };
}

function reopen(tasks: Map<string, LiveTask>): void {
  for (const [name, { state }] of tasks) {
    if (state === "failed" || state === "skipped") tasks.set(name, FRESH);
  }
}

function taskAfter(task: LiveTask, event: Told): LiveTask | undefined {
  const isItem = event.item !== undefined && event.item !== null;
  const left = Math.max(0, task.running - 1);
  // Of items, it is the gathering that settles the task.
  const open = left > 0 ? "running" : "waiting";
  switch (event.type) {
    case "task.started":
      return { state: "running", why: undefined, running: task.running + 1 };
    case "task.succeeded":
      return { ...task, state: isItem ? open : "succeeded", running: left };
    case "task.failed":
      return {
        state: event.retry_at ? "backing_off" : isItem ? open : "failed",
        why: event.failure && {
          message: event.failure.message,
          tail: event.failure.tail ?? [],
        },
        running: left,
      };
    case "task.interrupted":
      return { ...task, state: open, running: left };
    case "task.gathered":
      return {
        ...task,
        state: (event as { failed?: number }).failed ? "failed" : "succeeded",
        running: 0,
      };
    case "task.skipped":
      return {
        ...FRESH,
        state: "skipped",
        why: { message: skippedBecause(event.reason), tail: [] },
      };
    case "task.cancelled":
      return { ...FRESH, state: "cancelled" };
    case "task.resolved":
      return { ...FRESH, state: "resolved" };
    default:
      return undefined;
  }
}

/** Whether a task has come to its end, for now at least. */
export function isSettled(state: string | undefined): boolean {
  return state !== undefined && !OPEN.has(state);
}

const OPEN = new Set(["waiting", "running", "backing_off"]);

export function hasEnded(state: string): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}
