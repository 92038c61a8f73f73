/** Limits and rules, in words; what the forms send. */

import type { Schema } from "../../api/client";

type Limit = Schema<"LimitSpec">;

/** What a limit counts. */
export function countsText(limit: Limit): string {
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
export function mostText(limit: Limit): string {
  if (limit.counts === "tasks") return `${limit.max_tasks} at once`;
  const parts = [
    limit.max_runs != null && `${limit.max_runs} at once`,
    limit.rate && `${limit.rate.starts} in ${limit.rate.per_s} s`,
  ];
  return parts.filter(Boolean).join(", ");
}

export interface LimitDraft {
  name: string;
  counts: Limit["counts"];
  namespace: string;
  workflow: string;
  queue: string;
  most: string;
  whenFull: Schema<"WhenFull">;
}

/** What to send. */
export function limitOf(draft: LimitDraft): Limit {
  const most = Number(draft.most);
  if (draft.counts === "tasks") {
    return { counts: "tasks", queue: draft.queue.trim(), max_tasks: most };
  }
  return {
    counts: "runs",
    namespace: draft.namespace.trim(),
    max_runs: most,
    when_full: draft.whenFull,
    ...(draft.workflow.trim() && { workflow: draft.workflow.trim() }),
  };
}

/** Which runs a rule deletes. */
export function ruleText(rule: Schema<"RetentionRule">): string {
  const states = rule.status ?? [];
  const ended = states.length === 0 ? "ended" : states.join(" or ");
  const where = [rule.namespace, rule.workflow].filter(Boolean).join(" / ");
  return where ? `${ended} runs of ${where}` : `all ${ended} runs`;
}
