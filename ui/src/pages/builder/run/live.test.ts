import { expect, it } from "vitest";
import { told, unstarted } from "./live";

const failure = { kind: "exit", code: "L401", message: "it broke", retryable: true, tail: ["no"] };

it("follows a run", () => {
  const first = told(unstarted("r"), [
    { type: "run.started" },
    { type: "task.started", task: "a" },
    { type: "task.started", task: "b" },
  ]);
  expect([first.state, first.busy, first.tasks.get("a")?.state]).toEqual(["running", 2, "running"]);
  const second = told(first, [
    { type: "task.succeeded", task: "a" },
    { type: "task.failed", task: "b", failure, retry_at: "soon" },
    { type: "task.skipped", task: "c", reason: { why: "dependency", task: "b" } },
  ]);
  expect(second.busy).toBe(0);
  expect(second.tasks.get("b")?.state).toBe("backing_off");
  expect(second.tasks.get("c")?.why?.message).toBe("b did not succeed");
  const third = told(second, [
    { type: "task.failed", task: "b", failure },
    { type: "run.finished", outcome: "failed" },
  ]);
  expect([third.state, third.tasks.get("b")?.why?.message]).toEqual(["failed", "it broke"]);
  const again = told(third, [{ type: "run.reopened" }]);
  expect(["a", "b", "c"].map((name) => again.tasks.get(name)?.state)).toEqual([
    "succeeded",
    "waiting",
    "waiting",
  ]);
});

it("counts the items of a task", () => {
  const started = told(unstarted("r"), [
    { type: "task.started", task: "a", item: 0 },
    { type: "task.started", task: "a", item: 1 },
    { type: "task.succeeded", task: "a", item: 0 },
  ]);
  expect([started.busy, started.tasks.get("a")?.state]).toEqual([1, "running"]);
  const done = told(started, [
    { type: "task.succeeded", task: "a", item: 1 },
    { type: "task.gathered", task: "a" },
  ]);
  expect([done.busy, done.tasks.get("a")?.state]).toEqual([0, "succeeded"]);
});
