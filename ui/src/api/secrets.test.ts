import { expect, test } from "vitest";
import { secretsOf, variablesOf, withSecrets } from "./secrets";

const shown = { SESSION: "***", B: { x: 1 } };

test("what nobody can read is asked for again, and the rest stands as it was", () => {
  expect(secretsOf(shown)).toEqual([{ name: "SESSION", value: "" }]);
  expect(JSON.parse(variablesOf(shown))).toEqual({ B: { x: 1 } });
  expect([secretsOf(undefined), variablesOf(undefined)]).toEqual([[], ""]);
  expect(variablesOf({ SESSION: "***" })).toBe("");
});

test("secrets are sent with the others, as they were written", () => {
  const secrets = [
    { name: "SESSION", value: "hush" },
    { name: "KEYS", value: '["a"]' },
  ];
  expect(withSecrets({ value: { A: 1 } }, secrets)).toEqual({
    value: { A: 1, SESSION: "hush", KEYS: ["a"] },
  });
});

test("three stars are no secret, wherever they were written", () => {
  expect(withSecrets({ value: {} }, [{ name: "S", value: "***" }])).toHaveProperty("wrong");
  expect(withSecrets({ value: { S: "***" } }, [])).toHaveProperty("wrong");
  expect(withSecrets({ wrong: "no object" }, [])).toEqual({ wrong: "no object" });
});
