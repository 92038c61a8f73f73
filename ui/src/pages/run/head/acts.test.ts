import { expect, test } from "vitest";
import { runActs, taskActs } from "./acts";

const all = () => true;

test("a run offers what its state allows", () => {
  expect(runActs("running", false, all)).toEqual(["pause", "cancel", "rerun"]);
  expect(runActs("failed", false, all)).toEqual(["retry", "rerun"]);
  expect(runActs("succeeded", false, all)).toEqual(["rerun"]);
});

test("what the caller may not do is not offered, nor what another system executes", () => {
  expect(runActs("running", false, (permission) => permission === "runs:cancel")).toEqual([
    "cancel",
  ]);
  expect(runActs("running", true, all)).toEqual([]);
  expect(taskActs("failed", "failed", true, all)).toEqual([]);
});

test("a task of a run that ended for good is left alone", () => {
  expect(taskActs("failed", "failed", false, all)).toEqual(["retry", "resolve", "amend"]);
  expect(taskActs("failed", "cancelled", false, all)).toEqual([]);
  expect(taskActs("waiting", "running", false, all)).toEqual([
    "skip",
    "cancel",
    "resolve",
    "amend",
  ]);
});
