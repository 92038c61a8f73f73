import { expect, test } from "vitest";
import { draftOf, hides, newDraft, rotated, specOf, type Trigger } from "./spec";

const push: Trigger & { kind: "request" } = {
  kind: "request",
  name: "push",
  namespace: "default",
  description: "Builds",
  proof: {
    kind: "hmac",
    header: "X-Sig",
    secret: "***",
    timestamp_header: "X-Time",
    tolerance_s: 60,
  },
  delivery_header: "X-Id",
  variables: {
    REF: { from: "body", pointer: "/ref", optional: false },
    EVENT: { from: "header", name: "X-Event", optional: true },
  },
  run: { workflow: "build", namespace: "default", variables: { A: "x" }, tags: ["ci"] },
  path: "/hooks/push",
  paused: false,
  changed_at: "",
  changed_by: "",
  state: null,
};

const orders: Trigger = {
  kind: "file",
  name: "orders",
  namespace: "default",
  description: "",
  file: "/data/*.csv",
  quiet_ms: 500,
  at_once: 7,
  catch_up: "none",
  variables: { FILE: "path", SIZE: "size" },
  run: { workflow: "import", namespace: "default", variables: {} },
  path: null,
  paused: false,
  changed_at: "",
  changed_by: "",
  state: null,
};

test("what is opened and saved with its secret stays as it was", () => {
  const secret = "a new secret, long";
  expect(specOf({ ...draftOf(push), secret }, push)).toEqual({ spec: rotated(push, secret) });
});

test("a file's trigger keeps what the form does not show", () => {
  const { name, namespace, path, paused, changed_at, changed_by, state, ...spec } = orders;
  expect(specOf(draftOf(orders), orders)).toEqual({ spec });
});

test("a new one shows its header by its kind of proof", () => {
  const draft = { ...newDraft("s".repeat(20)), proof: "token" as const, header: "" };
  const result = specOf(draft);
  expect("spec" in result && result.spec.kind === "request" && result.spec.proof.header).toBe(
    "Authorization",
  );
});

test("variables that nobody can read any more are known", () => {
  expect(hides(push)).toBe(false);
  expect(hides({ ...push, run: { ...push.run, variables: { KEY: "***" } } })).toBe(true);
});
