import { expect, test } from "vitest";
import { differences, guardOf, shown } from "./version";

test("what differs is named down to the value that holds no other", () => {
  const before = { timing: { kind: "cron", expression: "0 2 * * *" }, tags: ["a"], gone: 1 };
  const now = { timing: { kind: "cron", expression: "0 3 * * *" }, tags: ["a", "b"], jitter_s: 5 };
  expect(differences(before, now)).toEqual([
    { path: "timing.expression", before: "0 2 * * *", now: "0 3 * * *" },
    { path: "tags", before: ["a"], now: ["a", "b"] },
    { path: "gone", before: 1, now: undefined },
    { path: "jitter_s", before: undefined, now: 5 },
  ]);
});

test.each([
  [{ a: null }, {}],
  [{ a: { b: [1] } }, { a: { b: [1] } }],
  [undefined, null],
])("%j and %j are the same", (before, now) => {
  expect(differences(before, now)).toEqual([]);
});

test("a change goes by the version that was shown, and something new by there being none", async () => {
  const response = new Response("", { headers: { etag: '"7"' } });
  const seen = await shown(Promise.resolve({ data: { name: "a" }, response }));
  expect(seen).toEqual({ it: { name: "a" }, version: '"7"' });
  expect(guardOf(seen)).toEqual({ "If-Match": '"7"' });
  expect(guardOf(undefined)).toEqual({ "If-None-Match": "*" });
  const bare = await shown(Promise.resolve({ data: 1, response: new Response("") }));
  expect(guardOf(bare)).toEqual({ "If-Match": "*" });
});
