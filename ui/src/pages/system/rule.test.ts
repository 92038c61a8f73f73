import { expect, test } from "vitest";
import { ENDED, ruleDraftOf, ruleOf, ruleText } from "./rule";

test("a rule says which runs it deletes", () => {
  expect(ruleText({ keep_s: 1 })).toBe("all ended runs");
  const rule = { keep_s: 1, status: ["failed" as const], namespace: "a" };
  expect(ruleText(rule)).toBe("failed runs of a");
});

test.each([
  { keep_s: 300_000 },
  { keep_s: 1, namespace: "a", workflow: "b", status: ["failed" as const, "cancelled" as const] },
])("%j stays as it was when it is opened and saved", (rule) => {
  expect(ruleOf(ruleDraftOf({ name: "x", ...rule }))).toEqual(rule);
});

test("all states are none in particular", () => {
  const draft = ruleDraftOf({ name: "x", keep_s: 1, status: [...ENDED] });
  expect(ruleOf(draft)).toEqual({ keep_s: 1 });
});
