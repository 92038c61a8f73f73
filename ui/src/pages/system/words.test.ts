import { expect, test } from "vitest";
import { countsText, limitOf, mostText, ruleText } from "./words";

const draft = {
  name: "x",
  counts: "runs",
  namespace: "default",
  workflow: " report ",
  queue: "",
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

test("a rule says which runs it deletes", () => {
  expect(ruleText({ keep_s: 1 })).toBe("all ended runs");
  const rule = { keep_s: 1, status: ["failed" as const], namespace: "a" };
  expect(ruleText(rule)).toBe("failed runs of a");
});
