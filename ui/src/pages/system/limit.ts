/** A limit in words, as it stands in the form, and as the API takes it. */

import { api, type Schema } from "../../api/client";
import { shown } from "../../api/version";

export type Limit = Schema<"LimitView">;
type LimitSpec = Schema<"LimitSpec">;

export interface LimitDraft {
  name: string;
  counts: LimitSpec["counts"];
  namespace: string;
  workflow: string;
  queue: string;
  /** Empty where only the rate is limited. */
  most: string;
  /** How many begin in a time; empty where that is not limited. */
  starts: string;
  perS: string;
  /** What tells runs apart; nothing counts all of them together. */
  key: "" | Schema<"LimitKey">["from"];
  template: string;
  whenFull: Schema<"WhenFull">;
}

export const NEW_LIMIT: LimitDraft = {
  name: "",
  counts: "runs",
  namespace: "default",
  workflow: "",
  queue: "",
  most: "1",
  starts: "",
  perS: "60",
  key: "",
  template: "",
  whenFull: "wait",
};

/** A limit as it is now. */
export function readLimit(name: string) {
  return shown<Limit>(api.GET("/api/v1/limits/{name}", { params: { path: { name } } }));
}

/** One to be changed. */
export function limitDraftOf(it: LimitSpec & { name: string }): LimitDraft {
  const { name } = it;
  if (it.counts === "tasks") {
    return { ...NEW_LIMIT, name, counts: "tasks", queue: it.queue, most: String(it.max_tasks) };
  }
  return {
    ...NEW_LIMIT,
    name,
    namespace: it.namespace ?? "default",
    workflow: it.workflow ?? "",
    most: it.max_runs == null ? "" : String(it.max_runs),
    ...(it.rate && { starts: String(it.rate.starts), perS: String(it.rate.per_s) }),
    key: it.key?.from ?? "",
    ...(it.key?.from === "variables" && { template: it.key.template }),
    whenFull: it.when_full ?? "wait",
  };
}

/** What to send. */
export function limitOf(draft: LimitDraft): LimitSpec {
  if (draft.counts === "tasks") {
    return { counts: "tasks", queue: draft.queue.trim(), max_tasks: Number(draft.most) };
  }
  const { key, template } = draft;
  return {
    counts: "runs",
    namespace: draft.namespace.trim(),
    when_full: draft.whenFull,
    ...(draft.most !== "" && { max_runs: Number(draft.most) }),
    ...(draft.starts !== "" && {
      rate: { starts: Number(draft.starts), per_s: Number(draft.perS) },
    }),
    ...(key === "request" && { key: { from: key } }),
    ...(key === "variables" && { key: { from: key, template: template.trim() } }),
    ...(draft.workflow.trim() && { workflow: draft.workflow.trim() }),
  };
}

/** In which namespace somebody has to hold the permission to change it; `*` is everywhere. */
export function placeOf(it: LimitSpec): string {
  return it.counts === "tasks" ? "*" : (it.namespace ?? "default");
}

/** What a limit counts. */
export function countsText(limit: LimitSpec): string {
  if (limit.counts === "tasks") return `tasks of the queue ${limit.queue}`;
  const namespace = limit.namespace ?? "default";
  const whole = limit.workflow
    ? `runs of ${namespace} / ${limit.workflow}`
    : `runs of ${namespace}`;
  if (!limit.key) return whole;
  const key = limit.key.from === "request" ? "the request's key" : limit.key.template;
  return `${whole}, each of ${key}`;
}

/** How much of it there may be. */
export function mostText(limit: LimitSpec): string {
  if (limit.counts === "tasks") return `${limit.max_tasks} at once`;
  const parts = [
    limit.max_runs != null && `${limit.max_runs} at once`,
    limit.rate && `${limit.rate.starts} in ${limit.rate.per_s} s`,
  ];
  return parts.filter(Boolean).join(", ");
}
