import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live } from "./live";
import type { Detail, RunEvent } from "./model/state";

const AT = "2026-11-21T08:30:00.000000Z";

function detail(last_seq: number, phase: string): Detail {
  return {
    id: "r",
    namespace: "default",
    workflow: "w",
    version: "1.0.0",
    state: "running",
    alive: true,
    created_at: AT,
    workers: 1,
    base: "/",
    last_seq,
    counts: { [phase]: 1 },
    interventions: [],
    variables: [],
    tasks: [
      { name: "a", plugin: "cmd", phase, waiting_since: AT, max_attempts: 1, attempts: [] },
    ] as never,
  };
}

const event = (seq: number, fields: object) => ({ run: "r", seq, at: AT, ...fields }) as RunEvent;
const started = event(1, { type: "task.started", task: "a", attempt: 1 });
const succeeded = event(2, { type: "task.succeeded", task: "a", attempt: 1 });

beforeEach(() => {
  // Who is not looked at waits for no frame.
  vi.stubGlobal("document", { hidden: true });
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
});
afterEach(() => vi.unstubAllGlobals());

test("a snapshot that is older than what came meanwhile takes nothing back", async () => {
  let answer: (detail: Detail) => void = () => undefined;
  const live = new Live(detail(0, "waiting"), [], () => new Promise((done) => (answer = done)));
  const reloaded = live.reload();
  live.feed([started, succeeded]);
  answer(detail(1, "running"));
  await reloaded;
  expect(live.task("a")?.phase).toBe("succeeded");
  expect(live.model.head.counts).toMatchObject({ running: 0, succeeded: 1 });
});

test("who asks for a snapshot while one is on its way gets another", async () => {
  const answers = [detail(1, "running"), detail(2, "succeeded")];
  const asked = vi.fn(async () => answers.shift() ?? detail(9, "failed"));
  const live = new Live(detail(0, "waiting"), [], asked);
  const reloaded = live.reload();
  void live.reload();
  await reloaded;
  expect(asked).toHaveBeenCalledTimes(2);
  expect(live.task("a")?.phase).toBe("succeeded");
});
