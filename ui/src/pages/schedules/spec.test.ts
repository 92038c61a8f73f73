import { expect, test } from "vitest";
import { askedOf, draftOf, newDraft, type Schedule, specOf, timingText } from "./spec";

const nightly: Schedule = {
  name: "nightly",
  namespace: "default",
  description: "Reports",
  timing: { kind: "cron", expression: "0 2 * * *", time_zone: "Europe/Berlin" },
  overlap: "queue",
  catch_up: { kind: "all", window_s: 7200, most: 3 },
  grace_s: 30,
  jitter_s: 60,
  run: { workflow: "report", namespace: "default", variables: { A: 1 }, priority: 5 },
  active: [],
  waiting: [],
  counts: { fired: 0, skipped: 0, missed: 0, refused: 0 },
  paused: false,
  changed_at: "",
  changed_by: "",
};

test("what is opened and saved unchanged stays as it was, also what the form does not show", () => {
  const result = specOf(draftOf(nightly, "UTC"), nightly);
  expect(result).toEqual({
    spec: {
      description: "Reports",
      timing: nightly.timing,
      overlap: "queue",
      catch_up: nightly.catch_up,
      grace_s: 30,
      jitter_s: 60,
      run: nightly.run,
    },
  });
});

test("secrets that nobody can read are asked for, and never sent as stars", () => {
  const before = { ...nightly, run: { ...nightly.run, variables: { A: 1, KEY: "***" } } };
  const draft = draftOf(before, "UTC");
  expect(draft.secrets).toEqual([{ name: "KEY", value: "" }]);
  const result = specOf({ ...draft, secrets: [{ name: "KEY", value: "hush" }] }, before);
  expect("spec" in result && result.spec.run.variables).toEqual({ A: 1, KEY: "hush" });
  const left = specOf({ ...draft, secrets: [] }, before);
  expect("spec" in left && left.spec.run.variables).toEqual({ A: 1 });
});

test("what was asked for is told from where it stands", () => {
  const { description, timing, overlap, catch_up, grace_s, jitter_s, run } = nightly;
  expect(askedOf(nightly)).toEqual({
    description,
    timing,
    overlap,
    catch_up,
    grace_s,
    jitter_s,
    run,
  });
});

test("variables that are no object are told of", () => {
  expect(specOf({ ...newDraft("UTC"), variables: "[1]" })).toHaveProperty("wrong");
});

test("a time of the form is that of the reader's clock", () => {
  const at = "2026-11-20T10:00:00.000Z";
  const draft = draftOf({ ...nightly, timing: { kind: "once", at } }, "UTC");
  const result = specOf(draft);
  expect("spec" in result && result.spec.timing).toEqual({ kind: "once", at });
});

test.each([
  [{ kind: "every", seconds: 90 }, "every 90 seconds"],
  [{ kind: "every", seconds: 3600 }, "every hour"],
  [{ kind: "every", seconds: 7200 }, "every 2 hours"],
  [{ kind: "cron", expression: "* * * * *" }, "* * * * * (UTC)"],
] as const)("%j is %s", (timing, expected) => {
  expect(timingText(timing)).toBe(expected);
});
