import { expect, test } from "vitest";
import { matches } from "./filters";

test.each([
  ["", ["a"], true],
  ["nigh rep", ["Nightly report", null], true],
  ["nigh week", ["Nightly report", undefined], false],
  ["  data ", ["", "DATA"], true],
])("%j in %j: %s", (search, texts, expected) => {
  expect(matches(search, ...texts)).toBe(expected);
});
