import { expect, test } from "vitest";
import { mayOf } from "../../shell/permit";
import {
  commitOf,
  covers,
  draftOf,
  eventsText,
  mayWith,
  NEW_WEBHOOK,
  nameOf,
  specOf,
  stateOf,
  toggled,
  type Webhook,
} from "./spec";

const hook: Webhook = {
  id: "h1",
  url: "https://example.org/hook/",
  types: ["run.*", "order.placed"],
  description: "Tells the shop",
  namespaces: ["billing", "shop"],
  workflow: "report",
  retry: { max_attempts: 3, initial_s: 0.5, max_s: 60 },
  created_by: "ann",
  created_at: "",
  cursor: "12-4294967295",
};

test("what is opened and saved unchanged stays as it was", () => {
  const { url, types, description, namespaces, workflow, retry } = hook;
  expect(specOf(draftOf(hook))).toEqual({ url, types, description, namespaces, workflow, retry });
});

test("a new one is of all namespaces and workflows", () => {
  expect(specOf({ ...NEW_WEBHOOK, url: " https://a " })).toEqual({
    url: "https://a",
    description: "",
    types: ["run.finished"],
    retry: { max_attempts: 12, initial_s: 1, max_s: 600 },
  });
});

test("it is said what it is told of", () => {
  expect(nameOf(hook)).toBe("example.org/hook");
  expect(eventsText(hook)).toBe("run.*, order.placed of report in billing, shop");
  expect(eventsText({ ...hook, types: [], workflow: null, namespaces: null })).toBe("all events");
});

test("a pause hides that it failed before", () => {
  const failing = { event: "1-0", attempts: 1, error: "", next_at: "" };
  const paused = { reason: "", at: "", by: "" };
  expect(stateOf(hook)).toBe("delivering");
  expect(stateOf({ ...hook, failing })).toBe("failing");
  expect(stateOf({ ...hook, failing, paused })).toBe("paused");
});

test("who may not in one of its namespaces may not", () => {
  const me = (namespaces?: string[]) =>
    mayOf({
      name: "ann",
      access_control: true,
      roles: [],
      permissions: { "webhooks:write": namespaces ? { namespaces } : {} },
    });
  expect(mayWith(me(["billing", "shop"]), "webhooks:write", hook)).toBe(true);
  expect(mayWith(me(["billing"]), "webhooks:write", hook)).toBe(false);
  expect(mayWith(me(["billing"]), "webhooks:write", { ...hook, namespaces: null })).toBe(false);
  expect(mayWith(me(), "webhooks:write", { ...hook, namespaces: null })).toBe(true);
});

test("a family stands for its types", () => {
  expect(covers("run.*", "run.finished")).toBe(true);
  expect(covers("run.*", "run.*")).toBe(false);
  expect(covers("run.finished", "run.finished")).toBe(false);
  expect(toggled(["run.finished", "task.failed"], "run.*", true)).toEqual(["task.failed", "run.*"]);
  expect(toggled(["task.failed", "run.*"], "run.*", false)).toEqual(["task.failed"]);
});

test("a place of the feed names its commit", () => {
  expect(commitOf("0-4294967295")).toBe(0);
  expect(commitOf("12-3")).toBe(12);
});
