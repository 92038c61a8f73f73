/** Where a run and its tasks stand: what the pages draw. */

import type { Schema } from "../../../api/client";

export type Detail = Schema<"RunDetail">;
export type RunEvent = Schema<"RunEvent">;
export type Failure = Schema<"FailureEvent">;
export type Variable = Schema<"VariableView">;
export type Output = Schema<"OutputEvent">;

export interface AttemptState {
  attempt: number;
  item: number | undefined;
  readyAt: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  retryAt: number | undefined;
  /** `held`, `running`, `succeeded`, `failed`, `interrupted` or `cancelled`. */
  result: string;
}

export interface TaskState {
  name: string;
  plugin: string;
  phase: string;
  waitingSince: number;
  readyAt: number | undefined;
  settledAt: number | undefined;
  attempts: AttemptState[];
  /** Attempts that are older than those that are kept here. */
  dropped: number;
  items: number | undefined;
  settledItems: number;
  failure: Failure | undefined;
  /** Why it was skipped. */
  skipped: Record<string, unknown> | undefined;
  resolvedBy: string | undefined;
  /** Somebody asked for its end. */
  stopping: boolean;
}

/** What is said of the run as a whole. */
export interface Head {
  state: string;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  /** Who asked for its end, while it comes. */
  stopping: string | undefined;
  counts: Record<string, number>;
}

/** A run's head as a snapshot has it. */
export function headOf(detail: Detail): Head {
  return {
    state: detail.state,
    startedAt: time(detail.started_at),
    finishedAt: time(detail.finished_at),
    stopping: undefined,
    counts: { ...detail.counts },
  };
}

/** A task as a snapshot has it. */
export function taskOf(view: Schema<"TaskView">): TaskState {
  return {
    name: view.name,
    plugin: view.plugin,
    phase: view.phase,
    waitingSince: Date.parse(view.waiting_since),
    readyAt: time(view.ready_at),
    settledAt: time(view.settled_at),
    attempts: view.attempts.map(attemptOf),
    dropped: 0,
    items: view.items ?? undefined,
    settledItems: view.items_settled ?? 0,
    // A failure of an attempt stands with the attempt.
    failure:
      view.failure ?? view.attempts.findLast((attempt) => attempt.failure)?.failure ?? undefined,
    skipped: (view.skipped as Record<string, unknown> | null) ?? undefined,
    resolvedBy: view.resolved?.by,
    stopping: false,
  };
}

function attemptOf(view: Schema<"TaskView">["attempts"][number]): AttemptState {
  return {
    attempt: view.attempt,
    item: view.item ?? undefined,
    readyAt: Date.parse(view.ready_at),
    startedAt: time(view.started_at),
    endedAt: time(view.ended_at),
    retryAt: time(view.retry_at),
    result: view.result,
  };
}

/** A task that was declared while the run was under way. */
export function declared(name: string, at: number): TaskState {
  return {
    name,
    plugin: "",
    phase: "waiting",
    waitingSince: at,
    readyAt: undefined,
    settledAt: undefined,
    attempts: [],
    dropped: 0,
    items: undefined,
    settledItems: 0,
    failure: undefined,
    skipped: undefined,
    resolvedBy: undefined,
    stopping: false,
  };
}

export function time(at: string | null | undefined): number | undefined {
  return at ? Date.parse(at) : undefined;
}

/** Whether what depends on a task in this phase may go on. */
export function isGood(phase: string): boolean {
  return phase === "succeeded" || phase === "resolved";
}

/** Whether a run in this state moves no more by itself. */
export function hasEnded(state: string): boolean {
  return ["succeeded", "failed", "cancelled"].includes(state);
}
