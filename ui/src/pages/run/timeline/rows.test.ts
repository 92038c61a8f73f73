import { expect, test } from "vitest";
import type { AttemptState, TaskState } from "../model/state";
import { inOrder, marksOf, piecesOf, rowSays, spanOf } from "./rows";

const attempt = (more: Partial<AttemptState>): AttemptState => ({
  attempt: 1,
  item: undefined,
  readyAt: 0,
  startedAt: undefined,
  endedAt: undefined,
  retryAt: undefined,
  result: "running",
  ...more,
});

const task = (name: string, more: Partial<TaskState> = {}): TaskState => ({
  name,
  plugin: "cmd",
  phase: "running",
  waitingSince: 0,
  readyAt: undefined,
  settledAt: undefined,
  attempts: [],
  dropped: 0,
  items: undefined,
  settledItems: 0,
  failure: undefined,
  skipped: undefined,
  resolvedBy: undefined,
  stopping: false,
  ...more,
});

test("a task waits, queues, fails, rests and works until now", () => {
  const load = task("load", {
    readyAt: 100,
    attempts: [
      attempt({ readyAt: 100, startedAt: 150, endedAt: 200, retryAt: 400, result: "failed" }),
      attempt({ attempt: 2, readyAt: 400, startedAt: 450 }),
    ],
  });
  const pieces = piecesOf(load, 500).map(({ kind, from, to }) => [kind, from, to]);
  expect(pieces).toEqual([
    ["waiting", 0, 100],
    ["queued", 100, 150],
    ["backoff", 200, 400],
    ["queued", 400, 450],
    ["working", 150, 200],
    ["working", 450, 500],
  ]);
});

test("rows are in the order in which tasks began; those that did not come last", () => {
  const rows = [
    task("never"),
    task("second", { attempts: [attempt({ startedAt: 20 })] }),
    task("first", { attempts: [attempt({ startedAt: 10 })] }),
  ];
  expect(inOrder(rows).map(({ name }) => name)).toEqual(["first", "second", "never"]);
});

test("marks are at round times, and not too many", () => {
  expect(marksOf(0, 10_000, 5)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
  expect(marksOf(0, 30 * 24 * 3_600_000, 8).length).toBeLessThanOrEqual(9);
});

test("there is always a span to draw, and words for a row", () => {
  expect(spanOf([], undefined, 5000)).toEqual([4000, 5000]);
  expect(rowSays(task("x", { phase: "waiting" }), 0)).toBe("x, Waiting");
});
