import { expect, test } from "vitest";
import { filterOf, targetOf } from "./filter";

test("what is empty or makes no sense narrows nothing down", () => {
  expect(filterOf({ who: " ", outcome: "bad", since: "yesterday" })).toEqual({});
});

test("times are those of the reader's clock", () => {
  const { since } = filterOf({ since: "2026-11-20T10:00" });
  expect(since).toBe(new Date(2026, 10, 20, 10).toISOString());
  expect(filterOf({ who: "ann ", outcome: "done" })).toEqual({ who: "ann", outcome: "done" });
});

test.each([
  [{ call: "POST /api/v1/runs/{id}/cancel", target: { id: "r1" } }, "/runs/r1"],
  [
    {
      call: "POST /api/v1/workflows/{namespace}/{name}/{version}/disable",
      target: { namespace: "a", name: "b", version: "1.0.0" },
    },
    "/workflows/a/b",
  ],
  [{ call: "POST /api/v1/tokens/{id}/revoke", target: { id: "t1" } }, undefined],
  [{ call: "POST /api/v1/runs" }, undefined],
  [{ call: "POST /api/v1/runs", target: { id: "r1" } }, "/runs/r1"],
  [{ call: "POST /hooks/{id}", target: { id: "h1", run: "r1" } }, "/runs/r1"],
  [{ call: "POST /graphql cancelRun", target: { id: "r1" } }, "/runs/r1"],
])("%j leads to %s", (entry, to) => {
  expect(targetOf(entry).to).toBe(to);
});
