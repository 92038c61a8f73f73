import { expect, test } from "vitest";
import { paramsOf, takesOthers } from "./params";

test("what is needed stands first, each in words", () => {
  const schema = {
    properties: {
      method: { enum: ["GET", "POST"], default: "GET" },
      url: { type: "string", description: "Where to" },
      wait: { oneOf: [{ type: "integer" }, { type: "string" }] },
      body: {},
    },
    required: ["url"],
    additionalProperties: false,
  };
  expect(paramsOf(schema)).toEqual([
    { name: "url", type: "text", required: true, fallback: undefined, what: "Where to" },
    { name: "method", type: "one of GET, POST", required: false, fallback: '"GET"', what: "" },
    { name: "wait", type: "whole number or text", required: false, fallback: undefined, what: "" },
    { name: "body", type: "anything", required: false, fallback: undefined, what: "" },
  ]);
  expect(takesOthers(schema)).toBe(false);
});

test.each([
  [undefined],
  [null],
  [true],
  [[]],
  [{}],
  [{ properties: [] }],
  [{ properties: { a: 1 } }],
])("a schema such as %j breaks nothing", (schema) => {
  expect(() => paramsOf(schema)).not.toThrow();
  expect(takesOthers(schema)).toBe(true);
});
