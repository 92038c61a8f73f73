import { expect, test } from "vitest";
import { covered, givable } from "./permissions";

test("nobody is offered to give away what they hold in some namespaces alone", () => {
  const me = {
    name: "ann",
    access_control: true,
    roles: [],
    permissions: {
      "runs:get": {},
      "runs:start": { namespaces: ["billing"] },
      "runs:list": {},
      "logs:get": {},
    },
  };
  expect(givable(me)).toEqual([
    ["runs", ["runs:get", "runs:list"]],
    ["logs", ["logs:get"]],
  ]);
});

test.each([
  ["runs:get", ["*"], true],
  ["runs:get", ["runs:*"], true],
  ["runs:get", ["runs:get"], true],
  ["runs:get", ["runs:list", "run:*"], false],
])("%s by %j: %s", (permission, patterns, expected) => {
  expect(covered(permission, patterns)).toBe(expected);
});
