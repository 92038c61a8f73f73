import { expect, test } from "vitest";
import { type Sentence, whySentences } from "./why";

const said = (sentence: Sentence) =>
  sentence
    .map((part) => (typeof part === "string" ? part : "task" in part ? `[${part.task}]` : part.at))
    .join("");

const since = "2026-11-21T08:30:00Z";
const none = { first: [], more: 0 };
const ask = (phase: string, why: object) =>
  whySentences({ task: "load", phase, since, why } as never).map(said);

test("a task that waits names what for and who sets it", () => {
  const producers = { first: [{ task: "extract", phase: "running", since }], more: 0 };
  expect(
    ask("waiting", {
      kind: "waiting",
      waits_for: [{ kind: "variable", name: "ROWS", producers }],
      chains: [],
      more_open: 0,
    }),
  ).toEqual(["It waits for ROWS, which is set by [extract] (running)."]);
});

test("a failure says whether its attempts were used up, and what it cost", () => {
  const failure = { kind: "exit", code: "L401", message: "status 75", retryable: true };
  const toll = { count: 3, first: ["a", "b"] };
  const why = { kind: "failed", failure, tries: 3, of: 3, allowed: false, toll };
  expect(ask("failed", why)).toEqual([
    "All 3 attempts failed.",
    "For its sake 3 tasks cannot run: [a], [b] and 1 more.",
  ]);
  const final = { ...why, tries: 1, failure: { ...failure, retryable: false } };
  expect(ask("failed", final)[0]).toBe("Attempt 1 failed in a way that another would not mend.");
});

test("what was skipped says for what, and where it began", () => {
  const failure = { kind: "exit", code: "L401", message: "status 75", retryable: true };
  const reason = {
    why: "no_producer",
    variable: "CLEAN",
    producers: [{ task: "flaky", ended: "failed" }],
  };
  const first = { first: [{ kind: "failed", task: "flaky", failure }], more: 0 };
  expect(
    ask("skipped", { kind: "skipped", reason, decided_by: none, causes: [], more: 0, first }),
  ).toEqual([
    "It will not run: CLEAN will not be set: flaky failed.",
    "It began here: [flaky] failed: status 75",
  ]);
});

test("what somebody skipped is said once", () => {
  const reason = { why: "by_hand", by: "ada", reason: "" };
  const first = { first: [{ kind: "skipped", task: "load", reason }], more: 0 };
  expect(
    ask("skipped", { kind: "skipped", reason, decided_by: none, causes: [], more: 0, first }),
  ).toEqual(["It will not run: ada skipped it."]);
});

test("a ready task says what holds it back", () => {
  const busy = { first: [{ task: "slow", phase: "running", since }], more: 2 };
  expect(ask("ready", { kind: "ready", hold: { kind: "workers", workers: 3, busy } })).toEqual([
    "All that it needs is there. All 3 workers of the run are busy with [slow] (running) and 2 more.",
  ]);
});

test("a condition that does not hold shows what it saw", () => {
  const reason = { why: "condition", when: "N > 3 and LIMIT is defined" };
  const decided_by = {
    first: [
      { name: "LIMIT" },
      { name: "N", seen: { name: "N", value: 2, secret: false, at: since } },
    ],
    more: 0,
  };
  const why = { kind: "skipped", reason, decided_by, causes: [], more: 0, first: none };
  expect(ask("skipped", why)[1]).toBe("Then LIMIT was not set; N was 2.");
});

test("what was settled by hand had failed", () => {
  const failure = { kind: "exit", code: "L401", message: "status 75", retryable: true };
  const resolution = { by: "ada", reason: "not needed" };
  expect(ask("resolved", { kind: "resolved", resolution, failure, set: none })).toEqual([
    "It had failed: status 75",
    "ada settled it by hand: “not needed”.",
  ]);
  const reason = { why: "dependency", task: "flaky" };
  const first = { first: [{ kind: "resolved", task: "flaky", resolution, failure }], more: 0 };
  const why = { kind: "skipped", reason, decided_by: none, causes: [], more: 0, first };
  expect(ask("skipped", why)[1]).toBe(
    "It began here: [flaky] failed: status 75. ada settled it by hand without what others waited for: “not needed”.",
  );
});
