import { expect, test } from "vitest";
import { bucketsOf, hasNeverRun, percentile, roundTop, spreads } from "./figures";

test("parts of a period lie side by side and hold now in the last", () => {
  const now = Date.parse("2026-11-21T19:07:30Z");
  const buckets = bucketsOf("1h", now);
  expect(buckets).toHaveLength(12);
  buckets.slice(1).forEach((bucket, at) => {
    expect(bucket.from).toBe(buckets[at]?.to);
  });
  const last = buckets.at(-1);
  expect(last && last.from <= now && now < last.to).toBe(true);
});

test("percentiles are of the nearest rank", () => {
  expect(percentile([], 50)).toBeUndefined();
  expect(percentile([7], 95)).toBe(7);
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(percentile(hundred, 50)).toBe(50);
  expect(percentile(hundred, 95)).toBe(95);
});

test("runs count where they ended, and those outside or under way nowhere", () => {
  const buckets = [
    { from: 0, to: 1000 },
    { from: 1000, to: 2000 },
  ];
  const run = (start: number, end?: number) =>
    ({
      started_at: new Date(start).toISOString(),
      ...(end !== undefined && { finished_at: new Date(end).toISOString() }),
    }) as never;
  const found = spreads([run(0, 900), run(500, 1000), run(1500), run(0, 5000)], buckets);
  expect(found).toEqual([
    { count: 1, p50: 900, p95: 900 },
    { count: 1, p50: 500, p95: 500 },
  ]);
});

test("an axis ends at a round number", () => {
  expect([0, 1, 3, 7, 12, 180, 501].map(roundTop)).toEqual([1, 1, 5, 10, 20, 200, 1000]);
});

test("a store has run something once there is a run of any state", () => {
  expect(hasNeverRun({})).toBe(true);
  expect(hasNeverRun({ running: 0, failed: 0 })).toBe(true);
  expect(hasNeverRun({ running: 0, failed: 1 })).toBe(false);
});
