import { expect, test } from "vitest";
import { readObject, readValue } from "./values";

test.each([
  ["", ""],
  ["5", "5"],
  ["true", "true"],
  ["[1, 2]", [1, 2]],
  [' {"a": null}', { a: null }],
  ["[not json", "[not json"],
])("%j is taken as %j", (text, expected) => {
  expect(readValue(text)).toEqual(expected);
});

test("an object is read, and anything else says why not", () => {
  expect(readObject("")).toEqual({ value: {} });
  expect(readObject('{"A": 1}')).toEqual({ value: { A: 1 } });
  for (const wrong of ["[1]", "null", "5", "{"]) expect(readObject(wrong)).toHaveProperty("wrong");
});
