/** What the audit log is narrowed down to, and where its entries lead. */

import type { Schema } from "../../api/client";

interface Filter {
  who?: string;
  action?: string;
  target?: string;
  outcome?: Schema<"AuditOutcome">;
  since?: string;
  until?: string;
}

const OUTCOMES: readonly string[] = ["done", "refused", "forbidden", "failed"];

/** What to ask for, by what stands in the page's address; what makes no sense is left out. */
export function filterOf(params: Record<string, string>): Filter {
  const filter: Filter = {};
  for (const name of ["who", "action", "target"] as const) {
    const value = params[name]?.trim();
    if (value) filter[name] = value;
  }
  const { outcome = "" } = params;
  if (OUTCOMES.includes(outcome)) filter.outcome = outcome as Schema<"AuditOutcome">;
  for (const name of ["since", "until"] as const) {
    const time = Date.parse(params[name] ?? "");
    if (!Number.isNaN(time)) filter[name] = new Date(time).toISOString();
  }
  return filter;
}

/** What an entry is about, and its page if it has one. */
export function targetOf({ call, target = {} }: Pick<Schema<"AuditEntry">, "call" | "target">): {
  text: string;
  to?: string;
} {
  const text = Object.values(target).join(" / ");
  const { id, namespace, name } = target;
  const run = target.run ?? (/\/runs|Run$/.test(call) ? id : undefined);
  if (run) return { text, to: `/runs/${run}` };
  if (namespace && name && call.includes("/workflows/")) {
    return { text, to: `/workflows/${namespace}/${name}` };
  }
  return { text };
}
