import { expect, test } from "vitest";
import { changedPages } from "./changes";
import { actsOn, canAct, filterOf, filtersIn, type RunView } from "./filter";

const NOW = Date.parse("2026-11-21T12:00:30Z");
const read = (query: string) => filterOf(new URLSearchParams(query), NOW);

test("an address is what the API is asked for", () => {
  expect(read("status=failed&status=nonsense&tag=a&tag=b&workflow=w&text=%20x&since=1h")).toEqual({
    status: ["failed"],
    tag: ["a", "b"],
    workflow: "w",
    text: "x",
    created_from: "2026-11-21T11:00:00.000Z",
  });
  expect(read("from=nonsense")).toEqual({});
  expect(filtersIn(new URLSearchParams("status=failed&tag=a&text="))).toBe(1);
});

test("an act on a filter takes only runs that it can be done to", () => {
  expect(actsOn("cancel", {})?.status).toEqual(["queued", "running", "paused"]);
  expect(actsOn("cancel", { status: ["running", "failed"] })?.status).toEqual(["running"]);
  expect(actsOn("retry", { status: ["running"] })).toBeUndefined();
});

const run: RunView = {
  id: "r",
  namespace: "default",
  workflow: "w",
  version: "1",
  state: "running",
  alive: true,
  created_at: "2026-11-21T11:00:00Z",
  workers: 1,
  base: "/",
};

test("events change the rows that they are about, and no other", () => {
  const pages = [{ items: [run] }, { items: [{ ...run, id: "other" }] }];
  const event = { run: "r", seq: 9, at: "2026-11-21T11:05:00Z" };
  const after = changedPages(pages, [
    { ...event, type: "run.finished", outcome: "failed" } as never,
  ]);
  expect(after[0]?.items[0]).toMatchObject({
    state: "failed",
    finished_at: event.at,
    alive: false,
  });
  expect(after[1]).toBe(pages[1]);
  const again = changedPages(after, [{ ...event, type: "run.reopened" }]);
  expect(again[0]?.items[0]?.state).toBe("running");
  expect(again[0]?.items[0]?.finished_at).toBeUndefined();
  expect(after[0]?.items[0] && canAct("retry", after[0].items[0])).toBe(true);
});
