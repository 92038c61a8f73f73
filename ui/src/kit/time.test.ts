import { expect, test } from "vitest";
import { duration } from "./time";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test.each([
  [0.2, "< 1 ms"],
  [250, "250 ms"],
  [1000, "1 s"],
  [1240, "1.2 s"],
  [42_400, "42 s"],
  [10 * MINUTE, "10 min"],
  [3 * MINUTE + 5000, "3 min 5 s"],
  [10 * MINUTE + 400, "10 min 0 s"],
  [2 * HOUR, "2 h"],
  [2 * HOUR + 4 * MINUTE, "2 h 4 min"],
  [30 * 24 * HOUR, "30 d"],
  [50 * HOUR, "2 d 2 h"],
])("%d ms is %s", (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});
