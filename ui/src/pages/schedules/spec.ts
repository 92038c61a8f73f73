/** A schedule as it stands in the form, and as the API takes it. */

import { api, type Schema } from "../../api/client";
import { type Secret, secretsOf, variablesOf, withSecrets } from "../../api/secrets";
import { readObject } from "../../api/values";
import { shown } from "../../api/version";

export type Schedule = Schema<"ScheduleView">;
export type ScheduleSpec = Schema<"ScheduleSpec">;
export type Kind = Schema<"Timing">["kind"];

export interface Draft {
  name: string;
  description: string;
  kind: Kind;
  expression: string;
  timeZone: string;
  seconds: string;
  at: string;
  namespace: string;
  workflow: string;
  variables: string;
  /** Variables that it has and that nobody can read: they are given again, or left out. */
  secrets: readonly Secret[];
  overlap: Schema<"Overlap">;
  catchUp: Schema<"CatchUp">["kind"];
  /** In hours: how old a missed tick may be that still fires. */
  catchUpHours: string;
  jitter: string;
}

/** A schedule as it is now. */
export function readSchedule(name: string) {
  return shown<Schedule>(api.GET("/api/v1/schedules/{name}", { params: { path: { name } } }));
}

/** What was asked for, without where it stands. */
export function askedOf(it: Schedule): object {
  const { active, changed_at, changed_by, counts, last, name, namespace, next_at, ...rest } = it;
  const { paused, problem, waiting, ...asked } = rest;
  return asked;
}

/** A new one. */
export function newDraft(timeZone: string): Draft {
  return {
    name: "",
    description: "",
    kind: "cron",
    expression: "0 9 * * 1-5",
    timeZone,
    seconds: "3600",
    at: "",
    namespace: "default",
    workflow: "",
    variables: "",
    secrets: [],
    overlap: "skip",
    catchUp: "none",
    catchUpHours: "24",
    jitter: "0",
  };
}

/** One to be changed. */
export function draftOf(it: Schedule, timeZone: string): Draft {
  const { timing, run } = it;
  const empty = newDraft(timeZone);
  return {
    ...empty,
    name: it.name,
    description: it.description ?? "",
    kind: timing.kind,
    ...(timing.kind === "cron" && {
      expression: timing.expression,
      timeZone: timing.time_zone ?? "UTC",
    }),
    ...(timing.kind === "every" && { seconds: String(timing.seconds) }),
    ...(timing.kind === "once" && { at: localTime(timing.at) }),
    namespace: it.namespace,
    workflow: run.workflow,
    variables: variablesOf(run.variables),
    secrets: secretsOf(run.variables),
    overlap: it.overlap ?? "skip",
    catchUp: it.catch_up?.kind ?? "none",
    ...(it.catch_up?.kind === "all" && { catchUpHours: String(it.catch_up.window_s / 3600) }),
    jitter: String(it.jitter_s ?? 0),
  };
}

/** What to send; what the form does not show stays as it was. Or what is wrong with the variables. */
export function specOf(
  draft: Draft,
  before?: Schedule,
): { spec: ScheduleSpec } | { wrong: string } {
  const variables = withSecrets(readObject(draft.variables), draft.secrets);
  if ("wrong" in variables) return variables;
  const rest = before ? pick(before) : {};
  const run = { ...before?.run, namespace: draft.namespace, workflow: draft.workflow };
  return {
    spec: {
      ...rest,
      description: draft.description,
      timing: timingOf(draft, before?.timing),
      overlap: draft.overlap,
      catch_up: catchUpOf(draft, before?.catch_up),
      jitter_s: Number(draft.jitter),
      run: { ...run, variables: variables.value },
    },
  };
}

function pick({ grace_s }: Schedule): Partial<ScheduleSpec> {
  return grace_s === undefined ? {} : { grace_s };
}

function timingOf(draft: Draft, before?: Schema<"Timing">): Schema<"Timing"> {
  switch (draft.kind) {
    case "cron":
      return { kind: "cron", expression: draft.expression.trim(), time_zone: draft.timeZone };
    case "every": {
      const from = before?.kind === "every" ? before.from : undefined;
      return { kind: "every", seconds: Number(draft.seconds), ...(from && { from }) };
    }
    case "once":
      return { kind: "once", at: new Date(draft.at).toISOString() };
  }
}

function catchUpOf(draft: Draft, before?: Schema<"CatchUp">): Schema<"CatchUp"> {
  if (draft.catchUp !== "all") return { kind: draft.catchUp };
  const most = before?.kind === "all" ? before.most : undefined;
  const window_s = Math.round(Number(draft.catchUpHours) * 3600);
  return { kind: "all", window_s, ...(most !== undefined && { most }) };
}

/** A time as the form's field takes it, in the reader's time zone. */
function localTime(at: string): string {
  const time = new Date(at);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** When a schedule ticks, in words. */
export function timingText(timing: Schema<"Timing">): string {
  switch (timing.kind) {
    case "cron":
      return `${timing.expression} (${timing.time_zone ?? "UTC"})`;
    case "every":
      return `every ${distance(timing.seconds)}`;
    case "once":
      return `once, ${moment.format(Date.parse(timing.at))}`;
  }
}

function distance(seconds: number): string {
  const units: [string, number][] = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ];
  const [unit, size] = units.find(([, size]) => seconds % size === 0) ?? ["second", 1];
  const count = seconds / size;
  return count === 1 ? unit : `${count} ${unit}s`;
}
