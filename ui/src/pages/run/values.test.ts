import { expect, test } from "vitest";
import { prettyValue, readObject, readValue, shownValue } from "./values";

test("a text stays a text, whatever it looks like", () => {
  expect(readValue("X", "12", "11")).toBe("12");
  expect(readValue("X", "12", 11)).toBe(12);
  expect(() => readValue("X", "{", 11)).toThrow("X is no JSON");
  expect(shownValue({ a: 1 })).toBe('{"a":1}');
});

test("only an object is one", () => {
  expect(readObject("  ")).toEqual({});
  expect(readObject('{"A": 1}')).toEqual({ A: 1 });
  expect(() => readObject("[1]")).toThrow("no JSON object");
  expect(() => readObject("{")).toThrow("no JSON");
});

test("a text that is JSON is spread over lines", () => {
  expect(prettyValue('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyValue("{not json")).toBe("{not json");
});
