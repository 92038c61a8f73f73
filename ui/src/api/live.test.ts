import { afterEach, expect, test, vi } from "vitest";
import { type LiveEvent, passes, Throttle } from "./live";

const event: LiveEvent = { run: "a", seq: 1, at: "", type: "run.finished" };

test.each([
  [{}, true],
  [{ types: ["run.finished"] }, true],
  [{ types: ["run."] }, true],
  [{ types: ["task.", "run.started"] }, false],
  [{ types: ["run"] }, false],
  [{ run: "a" }, true],
  [{ run: "b" }, false],
  [{ run: "a", types: ["task."] }, false],
])("%j lets it through: %s", (filter, expected) => {
  expect(passes(filter, event)).toBe(expected);
});

afterEach(() => void vi.useRealTimers());

test("many pokes are one act at once and one a while", () => {
  vi.useFakeTimers();
  const throttle = new Throttle();
  throttle.act = vi.fn();
  for (let i = 0; i < 100; i += 1) throttle.poke();
  expect(throttle.act).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(throttle.act).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(5000);
  expect(throttle.act).toHaveBeenCalledTimes(2);
  throttle.poke();
  throttle.poke();
  expect(throttle.act).toHaveBeenCalledTimes(3);
  throttle.cancel();
  vi.advanceTimersByTime(5000);
  expect(throttle.act).toHaveBeenCalledTimes(3);
});
