import { expect, it } from "vitest";
import { controlOf, propertiesOf } from "./schema";

it("finds the control that fits", () => {
  const kind = (...args: Parameters<typeof controlOf>) => controlOf(...args).kind;
  expect(kind("shell", { enum: ["sh", "bash"] }, undefined)).toBe("choice");
  expect(kind("on", { type: "boolean" }, true)).toBe("choice");
  expect(kind("timeout", { anyOf: [{ type: "number" }, { type: "string" }] }, "5m")).toBe("number");
  expect(kind("headers", { type: "object" }, { A: "b" })).toBe("map");
  expect(kind("headers", { type: "object" }, { A: [1] })).toBe("yaml");
  const command = { anyOf: [{ type: "string" }, { type: "array" }] };
  expect(controlOf("command", command, "echo")).toEqual({ kind: "text", multiline: true });
  expect(kind("command", command, ["echo"])).toBe("yaml");
  expect(kind("json", {}, undefined)).toBe("yaml");
  expect(kind("path", { type: "string" }, 5)).toBe("yaml");
});

it("puts first what must be there, and follows references", () => {
  const schema = {
    required: ["b"],
    properties: { a: { $ref: "#/$defs/x" }, b: { type: "string" } },
    $defs: { x: { type: "integer" } },
  };
  expect(propertiesOf(schema).map(([name, { type }]) => [name, type])).toEqual([
    ["b", "string"],
    ["a", "integer"],
  ]);
});
