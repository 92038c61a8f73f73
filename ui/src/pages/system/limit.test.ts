import { expect, test } from "vitest";
import { countsText, limitDraftOf, limitOf, mostText, NEW_LIMIT, placeOf } from "./limit";

const draft = {
  ...NEW_LIMIT,
  name: "x",
  workflow: " report ",
  most: "3",
  whenFull: "refuse",
} as const;

test("a limit of runs is sent and said", () => {
  const limit = limitOf(draft);
  expect(limit).toEqual({
    counts: "runs",
    namespace: "default",
    workflow: "report",
    max_runs: 3,
    when_full: "refuse",
  });
  expect([countsText(limit), mostText(limit)]).toEqual(["runs of default / report", "3 at once"]);
});

test("a limit of tasks is sent and said", () => {
  const limit = limitOf({ ...draft, counts: "tasks", queue: "gpu" });
  expect(limit).toEqual({ counts: "tasks", queue: "gpu", max_tasks: 3 });
  expect([countsText(limit), mostText(limit)]).toEqual(["tasks of the queue gpu", "3 at once"]);
});

test("keys and rates are said", () => {
  const limit = {
    counts: "runs",
    key: { from: "variables", template: "{{CUSTOMER}}" },
    rate: { starts: 5, per_s: 60 },
  } as const;
  expect(countsText(limit)).toBe("runs of default, each of {{CUSTOMER}}");
  expect(mostText(limit)).toBe("5 in 60 s");
});

test.each([
  { counts: "tasks", queue: "gpu", max_tasks: 4 },
  { counts: "runs", namespace: "a", max_runs: 2, when_full: "refuse" },
  {
    counts: "runs",
    namespace: "a",
    workflow: "b",
    key: { from: "request" },
    rate: { starts: 5, per_s: 60 },
    when_full: "wait",
  },
  {
    counts: "runs",
    namespace: "a",
    max_runs: 1,
    key: { from: "variables", template: "{{A}}" },
    when_full: "wait",
  },
] as const)("%j stays as it was when it is opened and saved", (limit) => {
  expect(limitOf(limitDraftOf({ name: "x", ...limit }))).toEqual(limit);
});

test("limits of queues belong to no namespace", () => {
  expect(placeOf({ counts: "tasks", queue: "gpu", max_tasks: 1 })).toBe("*");
  expect(placeOf({ counts: "runs", max_runs: 1 })).toBe("default");
});
