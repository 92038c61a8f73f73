/** What can be done with runs and tasks, by where they stand and by what the caller may do. */

import { hasEnded } from "../model/state";

export type RunAct = "pause" | "resume" | "cancel" | "retry" | "rerun";
export type TaskAct = "retry" | "skip" | "cancel" | "resolve" | "amend";

type May = (permission: string) => boolean;

const RUN_ACTS: Record<RunAct, { states: string[]; permission: string }> = {
  pause: { states: ["running"], permission: "runs:pause" },
  resume: { states: ["paused"], permission: "runs:pause" },
  cancel: { states: ["queued", "running", "paused"], permission: "runs:cancel" },
  retry: { states: ["failed"], permission: "runs:retry" },
  rerun: {
    states: ["queued", "running", "paused", "succeeded", "failed", "cancelled"],
    permission: "runs:retry",
  },
};

/** A run that another system executes is only shown here. */
export function runActs(state: string, external: boolean, may: May): RunAct[] {
  if (external) return [];
  const all = Object.entries(RUN_ACTS) as [RunAct, (typeof RUN_ACTS)[RunAct]][];
  return all
    .filter(([, act]) => act.states.includes(state) && may(act.permission))
    .map(([name]) => name);
}

const TASK_ACTS: Record<TaskAct, { phases: string[]; permission: string }> = {
  retry: { phases: ["failed", "cancelled"], permission: "tasks:retry" },
  skip: { phases: ["waiting", "ready"], permission: "tasks:skip" },
  cancel: { phases: ["waiting", "ready", "running", "backing_off"], permission: "tasks:cancel" },
  resolve: { phases: ["waiting", "failed", "cancelled"], permission: "tasks:resolve" },
  amend: { phases: ["waiting", "ready", "backing_off", "failed"], permission: "tasks:update" },
};

export function taskActs(phase: string, state: string, external: boolean, may: May): TaskAct[] {
  // A failed run can be opened again; the other ends are for good.
  if (external || (hasEnded(state) && state !== "failed")) return [];
  const all = Object.entries(TASK_ACTS) as [TaskAct, (typeof TASK_ACTS)[TaskAct]][];
  return all
    .filter(([, act]) => act.phases.includes(phase) && may(act.permission))
    .map(([name]) => name);
}
