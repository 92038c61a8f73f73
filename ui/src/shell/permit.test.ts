import { expect, test } from "vitest";
import { mayOf } from "./permit";

const me = {
  name: "ci",
  access_control: true,
  roles: ["operator"],
  permissions: { "runs:start": { namespaces: ["billing"] }, "runs:get": {} },
};

test.each([
  ["runs:start", "billing", true],
  ["runs:start", "default", false],
  ["runs:start", "*", false],
  ["runs:start", undefined, true],
  ["runs:get", "default", true],
  ["runs:get", "*", true],
  ["tokens:write", undefined, false],
])("%s in %s: %s", (permission, namespace, expected) => {
  expect(mayOf(me)(permission, namespace)).toBe(expected);
});

test("nobody may do anything before the server has said so", () => {
  expect(mayOf(undefined)("runs:get")).toBe(false);
});
