/** Facts of a run in sentences. */

import { duration } from "../../kit/time";
import { lookOf } from "../../kit/tone";
import type { Failure, TaskState } from "./model/state";

/** `failed`, as it is said of another task. */
export function ended(end: string): string {
  return lookOf(end).label.toLowerCase();
}

/** Why a task was skipped. */
export function skippedBecause(reason: Record<string, unknown> | undefined): string {
  const { why, variable, producers, task, when, variables, tasks, by } = reason ?? {};
  switch (why) {
    case "no_producer":
      return `${variable} will not be set: ${endsOf(producers)}`;
    case "dependency":
      return `${task} did not succeed`;
    case "condition":
      return `the condition does not hold: ${when}`;
    case "circular":
      return `it waits for itself, over ${[...texts(variables), ...texts(tasks).map((name) => `the end of ${name}`)].join(", ")}`;
    case "by_hand": {
      const said = reason?.reason ? `: ${reason.reason}` : "";
      return `${by} skipped it${said}`;
    }
    case "stopped":
      return `${task} failed, which stops the run`;
    default:
      return String(why ?? "it will not run").replaceAll("_", " ");
  }
}

function endsOf(producers: unknown): string {
  if (!Array.isArray(producers) || producers.length === 0) return "nothing sets it";
  const [first, ...others] = producers as { task: string; ended: string }[];
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  const end = first?.ended === "did_not_emit" ? "did not emit it" : (first?.ended ?? "ended");
  return `${first?.task} ${end.replaceAll("_", " ")}${more}`;
}

/** The first line of what went wrong. */
export function firstLine(failure: Failure): string {
  return failure.message.split("\n", 1)[0] ?? failure.message;
}

/** The last that was written before it went wrong; nothing if nothing was. */
export function lastLine(failure: Failure): string | undefined {
  return failure.tail?.findLast((line) => line.trim() !== "");
}

/** What went wrong where there is room for a few words: of a command, that is what it said last. */
function shortError(failure: Failure): string {
  return (failure.kind === "exit" && lastLine(failure)) || firstLine(failure);
}

/** One line about where a task stands, for its node. */
export function standing(task: TaskState, now: number): string {
  const last = task.attempts.at(-1);
  switch (task.phase) {
    case "waiting":
      return "waits for others";
    case "ready":
      return "ready, waits its turn";
    case "running":
      return task.items === undefined && last?.startedAt !== undefined
        ? `for ${duration(Math.max(0, now - last.startedAt))}${tries(task)}`
        : "";
    case "backing_off":
      return `tries again${tries(task)}: ${task.failure ? firstLine(task.failure) : "it failed"}`;
    case "failed":
      return task.failure ? shortError(task.failure) : "instances failed";
    case "cancelled":
      return tookOf(task) === "" ? "" : `after ${tookOf(task)}`;
    case "skipped":
      return skippedBecause(task.skipped);
    case "resolved":
      return `by ${task.resolvedBy ?? "hand"}`;
    case "succeeded":
      return `${tookOf(task)}${tries(task)}`;
    default:
      return "";
  }
}

/** From the first start to the end. */
export function tookOf(task: TaskState): string {
  const start = task.attempts[0]?.startedAt;
  if (start === undefined || task.settledAt === undefined) return "";
  return duration(Math.max(0, task.settledAt - start));
}

function tries(task: TaskState): string {
  const last = task.attempts.at(-1);
  return task.items === undefined && last && last.attempt > 1 ? ` · attempt ${last.attempt}` : "";
}

/** `1 task`, `3 tasks`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
