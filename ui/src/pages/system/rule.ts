/** A rule of retention in words, as it stands in the form, and as the API takes it. */

import { api, type Schema } from "../../api/client";
import { shown } from "../../api/version";

export type Rule = Schema<"RetentionView">;
type RuleSpec = Schema<"RetentionRule">;

const DAY = 86_400;

/** In which ways a run ends. */
export const ENDED = ["succeeded", "failed", "cancelled"] as const;
export type Ended = (typeof ENDED)[number];

export interface RuleDraft {
  name: string;
  days: string;
  namespace: string;
  workflow: string;
  ended: readonly Ended[];
}

export const NEW_RULE: RuleDraft = {
  name: "",
  days: "30",
  namespace: "",
  workflow: "",
  ended: ENDED,
};

/** A rule as it is now. */
export function readRule(name: string) {
  return shown<Rule>(api.GET("/api/v1/retention/{name}", { params: { path: { name } } }));
}

/** One to be changed. */
export function ruleDraftOf(it: RuleSpec & { name: string }): RuleDraft {
  const states = it.status ?? [];
  return {
    name: it.name,
    days: String(it.keep_s / DAY),
    namespace: it.namespace ?? "",
    workflow: it.workflow ?? "",
    ended: states.length === 0 ? ENDED : ENDED.filter((state) => states.includes(state)),
  };
}

/** What to send. */
export function ruleOf({ days, namespace, workflow, ended }: RuleDraft): RuleSpec {
  return {
    keep_s: Math.round(Number(days) * DAY),
    ...(namespace.trim() && { namespace: namespace.trim() }),
    ...(workflow.trim() && { workflow: workflow.trim() }),
    ...(ended.length < ENDED.length && { status: [...ended] }),
  };
}

/** Which runs a rule deletes. */
export function ruleText(rule: RuleSpec): string {
  const states = rule.status ?? [];
  const ended = states.length === 0 ? "ended" : states.join(" or ");
  const where = [rule.namespace, rule.workflow].filter(Boolean).join(" / ");
  return where ? `${ended} runs of ${where}` : `all ${ended} runs`;
}
