/** Which runs are looked at: the filters of the list, as its address has them. */

import type { Schema } from "../../api/client";

export type RunState = Schema<"RunState">;
export type RunView = Schema<"RunView">;

export const STATES: RunState[] = [
  "queued",
  "running",
  "paused",
  "succeeded",
  "failed",
  "cancelled",
];

/** Times that are offered, in hours; `since` of the address names one. */
export const PERIODS: Record<string, { label: string; hours: number }> = {
  "1h": { label: "Last hour", hours: 1 },
  "24h": { label: "Last 24 hours", hours: 24 },
  "7d": { label: "Last 7 days", hours: 168 },
  "30d": { label: "Last 30 days", hours: 720 },
};

/** What the API is asked for. */
export interface Filter {
  status?: RunState[];
  workflow?: string;
  namespace?: string;
  tag?: string[];
  annotation?: string[];
  initiator?: string;
  text?: string;
  created_from?: string;
  created_until?: string;
}

const SINGLE = ["workflow", "namespace", "initiator", "text"] as const;
const SEVERAL = ["tag", "annotation"] as const;
const MINUTE = 60_000;

/**
 * Reads an address. The beginning of a period is a whole minute, so that the same address asks the
 * same for a while.
 */
export function filterOf(params: URLSearchParams, now: number): Filter {
  const filter: Filter = {};
  for (const name of SINGLE) {
    const value = params.get(name)?.trim();
    if (value) filter[name] = value;
  }
  for (const name of SEVERAL) {
    const values = params.getAll(name).filter((value) => value.trim() !== "");
    if (values.length > 0) filter[name] = values;
  }
  const status = STATES.filter((state) => params.getAll("status").includes(state));
  if (status.length > 0) filter.status = status;
  const period = PERIODS[params.get("since") ?? ""];
  const from = period
    ? (Math.floor(now / MINUTE) - period.hours * 60) * MINUTE
    : Date.parse(params.get("from") ?? "");
  const until = Date.parse(params.get("until") ?? "");
  if (!Number.isNaN(from)) filter.created_from = new Date(from).toISOString();
  if (!Number.isNaN(until)) filter.created_until = new Date(until).toISOString();
  return filter;
}

/** How many filters an address has besides the states. */
export function filtersIn(params: URLSearchParams): number {
  const names = [...SINGLE, ...SEVERAL, "since", "from", "until"];
  return names.reduce((sum, name) => sum + params.getAll(name).filter(Boolean).length, 0);
}

/** States in which runs can still be cancelled, or be retried. */
const ACTS_ON = {
  cancel: ["queued", "running", "paused"],
  retry: ["failed"],
} satisfies Record<string, RunState[]>;

export type BulkAct = keyof typeof ACTS_ON;

/** The runs of a filter on which something can be done; none if it chooses others alone. */
export function actsOn(act: BulkAct, filter: Filter): Filter | undefined {
  const states: RunState[] = ACTS_ON[act];
  const status = filter.status ? states.filter((state) => filter.status?.includes(state)) : states;
  return status.length === 0 ? undefined : { ...filter, status };
}

export function canAct(act: BulkAct, run: RunView): boolean {
  const states: RunState[] = ACTS_ON[act];
  return run.external == null && states.includes(run.state);
}
