import { expect, test } from "vitest";
import type { TaskDef } from "../definition";
import { KEPT_OF_RUN, KEPT_OF_TASK, shareOf } from "./attempts";
import { RunModel } from "./run-model";
import type { Detail, RunEvent } from "./state";

const START = "2026-11-21T08:30:00.000000Z";

function at(ms: number): string {
  return new Date(Date.parse(START) + ms).toISOString();
}

function def(name: string, more: Partial<TaskDef> = {}): TaskDef {
  return {
    name,
    plugin: "cmd",
    barrier: false,
    inputs: [],
    outputs: [],
    dependsOn: [],
    permissions: [],
    exclusive: false,
    fires: false,
    forEach: false,
    mayFail: false,
    maxAttempts: 1,
    ...more,
  };
}

function detail(names: string[], more: Partial<Detail> = {}): Detail {
  return {
    id: "r",
    namespace: "default",
    workflow: "w",
    version: "1.0.0",
    state: "running",
    alive: true,
    created_at: START,
    started_at: START,
    workers: 2,
    base: "/",
    last_seq: 0,
    counts: { waiting: names.length },
    interventions: [],
    variables: [],
    tasks: names.map((name) => ({
      name,
      plugin: "cmd",
      phase: "waiting",
      waiting_since: START,
      max_attempts: 1,
      attempts: [],
    })),
    ...more,
  };
}

let seq = 0;
function event(ms: number, fields: object): RunEvent {
  seq += 1;
  return { run: "r", seq, at: at(ms), ...fields } as RunEvent;
}

function model(defs: TaskDef[]): RunModel {
  seq = 0;
  return new RunModel(detail(defs.map((one) => one.name)), defs);
}

test("an attempt that fails backs off, and the next one succeeds", () => {
  const run = model([def("load")]);
  const failure = { kind: "exit", code: "L401", message: "status 75", retryable: true };
  run.take([
    event(1, { type: "task.started", task: "load", attempt: 1 }),
    event(5, { type: "task.failed", task: "load", attempt: 1, failure, retry_at: at(105) }),
  ]);
  expect(run.task("load")).toMatchObject({ phase: "backing_off", failure });
  expect(run.head.counts).toMatchObject({ waiting: 0, backing_off: 1 });
  run.take([
    event(110, { type: "task.started", task: "load", attempt: 2 }),
    event(120, { type: "task.succeeded", task: "load", attempt: 2, outputs: [] }),
  ]);
  const task = run.task("load");
  expect(task).toMatchObject({ phase: "succeeded", failure: undefined });
  expect(task?.attempts.map((one) => one.result)).toEqual(["failed", "succeeded"]);
  // The second one could start when the first one's rest was over.
  expect(task?.attempts[1]?.readyAt).toBe(Date.parse(at(105)));
});

test("a task becomes ready with the last variable and dependency that it waits for", () => {
  const run = model([
    def("a", { outputs: ["X"] }),
    def("b"),
    def("c", { inputs: ["X"], dependsOn: ["b"] }),
  ]);
  run.take([
    event(1, { type: "task.started", task: "a", attempt: 1 }),
    event(2, {
      type: "task.succeeded",
      task: "a",
      attempt: 1,
      outputs: [{ name: "X", value: 1 }],
    }),
  ]);
  expect(run.task("c")?.phase).toBe("waiting");
  expect(run.variables).toMatchObject([{ name: "X", value: 1, set_by: "a" }]);
  run.take([
    event(3, { type: "task.started", task: "b", attempt: 1 }),
    event(4, { type: "task.succeeded", task: "b", attempt: 1 }),
  ]);
  expect(run.task("c")).toMatchObject({ phase: "ready", readyAt: Date.parse(at(4)) });
});

test("items settle one by one, and their outputs are gathered in their order", () => {
  const run = model([def("parts", { fires: true, forEach: true })]);
  run.take([event(1, { type: "task.fired", task: "parts", items: ["a", "b"] })]);
  for (const item of [1, 0]) {
    run.take([
      event(2, { type: "task.started", task: "parts", item, attempt: 1 }),
      event(3, {
        type: "task.succeeded",
        task: "parts",
        item,
        attempt: 1,
        outputs: [{ name: "N", value: item }],
      }),
    ]);
  }
  expect(run.task("parts")).toMatchObject({ phase: "running", items: 2, settledItems: 2 });
  run.take([event(4, { type: "task.gathered", task: "parts", failed: 0 })]);
  expect(run.task("parts")?.phase).toBe("succeeded");
  expect(run.variables).toMatchObject([{ name: "N", value: [0, 1], set_by: "parts" }]);
});

test("events that are known are passed over, and what changed is told once", () => {
  const run = model([def("a"), def("b")]);
  const started = event(1, { type: "task.started", task: "a", attempt: 1 });
  run.take([started, started]);
  expect(run.task("a")?.attempts).toHaveLength(1);
  expect(run.drain()).toEqual(new Set(["a"]));
  expect(run.drain().size).toBe(0);
});

test("what only a snapshot knows makes the model stale", () => {
  const run = model([def("a")]);
  run.take([event(1, { type: "run.finished", outcome: "failed" })]);
  expect(run.head).toMatchObject({ state: "failed", finishedAt: Date.parse(at(1)) });
  expect(run.stale).toBe(true);
});

test("an hour of attempts a second leaves no more behind than is kept", {
  timeout: 60_000,
}, () => {
  const names = Array.from({ length: 10 }, (_, at) => `t${at}`);
  const run = model(names.map((name) => def(name)));
  const failure = { kind: "exit", code: "L401", message: "no", retryable: true };
  for (let round = 1; round <= 3600; round += 1) {
    const started = event(round * 1000, { type: "task.started", attempt: round });
    const failed = event(round * 1000 + 1, {
      type: "task.failed",
      attempt: round,
      failure,
      retry_at: at(round * 1000 + 999),
    });
    const events = names.flatMap((task) => [
      { ...started, task, seq: ++seq },
      { ...failed, task, seq: ++seq },
    ]);
    run.take(events as RunEvent[]);
    run.drain();
  }
  const kept = names.map((name) => run.task(name)?.attempts.length ?? 0);
  expect(Math.max(...kept)).toBeLessThanOrEqual(1.25 * KEPT_OF_TASK);
  expect((run.task("t0")?.dropped ?? 0) + (kept[0] ?? 0)).toBe(3600);
  expect(Object.values(run.head.counts).reduce((sum, count) => sum + count, 0)).toBe(10);
});

test("many tasks keep a few attempts each, and one with few loses none", () => {
  const names = Array.from({ length: 1000 }, (_, at) => `t${at}`);
  const run = model(names.map((name) => def(name)));
  for (let round = 1; round <= 40; round += 1) {
    const busy = round > 2 ? names.slice(1) : names;
    run.take(busy.map((task) => event(round, { type: "task.started", task, attempt: round })));
  }
  const kept = names.map((name) => run.task(name)?.attempts.length ?? 0);
  expect(kept[0]).toBe(2);
  expect(kept.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1.25 * KEPT_OF_RUN);
  expect(run.task("t1")?.attempts.at(-1)?.attempt).toBe(40);
  expect((run.task("t1")?.dropped ?? 0) + (kept[1] ?? 0)).toBe(40);
});

test("what all tasks may keep is shared out among those that have more", () => {
  expect(shareOf([3, 5000])).toBe(KEPT_OF_TASK);
  expect(
    shareOf([...Array.from({ length: 100 }, () => 10), ...Array.from({ length: 100 }, () => 900)]),
  ).toBe((KEPT_OF_RUN - 1000) / 100);
});
