/** Figures of the overview, from what the API says. */

import type { Schema } from "../../api/client";

/** A part of the time that is looked at. */
export interface Bucket {
  from: number;
  to: number;
}

/** Periods that are offered: their length and that of their parts, in minutes. */
export const PERIODS = {
  "1h": { label: "1 hour", minutes: 60, part: 5 },
  "24h": { label: "24 hours", minutes: 1440, part: 60 },
  "7d": { label: "7 days", minutes: 10_080, part: 720 },
} as const;
export type Period = keyof typeof PERIODS;

const MINUTE = 60_000;

/** The parts of a period up to now; all but the last are over, and stay as they are. */
export function bucketsOf(period: Period, now: number): Bucket[] {
  const size = PERIODS[period].part * MINUTE;
  const count = PERIODS[period].minutes / PERIODS[period].part;
  const end = Math.floor(now / size) * size + size;
  return Array.from({ length: count }, (_, at) => {
    const from = end - (count - at) * size;
    return { from, to: from + size };
  });
}

/** The least value that so many of a hundred do not exceed, by the nearest rank. */
export function percentile(values: number[], of: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((of / 100) * sorted.length) - 1)];
}

export interface Spread {
  count: number;
  p50: number | undefined;
  p95: number | undefined;
}

/** How long runs took that ended in each part of a time. */
export function spreads(runs: Schema<"RunView">[], buckets: Bucket[]): Spread[] {
  const took: number[][] = buckets.map(() => []);
  const [first] = buckets;
  if (!first) return [];
  const size = first.to - first.from;
  for (const { started_at, finished_at } of runs) {
    if (!started_at || !finished_at) continue;
    const end = Date.parse(finished_at);
    took[Math.floor((end - first.from) / size)]?.push(Math.max(0, end - Date.parse(started_at)));
  }
  return took.map((values) => ({
    count: values.length,
    p50: percentile(values, 50),
    p95: percentile(values, 95),
  }));
}

/** A round number that nothing exceeds, for the top of an axis. */
export function roundTop(value: number): number {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((times) => value <= times * size) ?? 10;
  return step * size;
}

/** The first error of a run, where it is known. */
export function firstError(
  why: Schema<"RunWhyView">,
): { task: string; message: string } | undefined {
  for (const { end } of why.first_causes.first) {
    if (end.kind === "failed") {
      return { task: end.task, message: end.failure.message.split("\n", 1)[0] ?? "" };
    }
  }
  return undefined;
}

/** Whether there is no run of any state. */
export function hasNeverRun(runs: Readonly<Record<string, number | undefined>>): boolean {
  return Object.values(runs).every((count) => !count);
}
