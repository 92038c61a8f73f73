import { expect, test, vi } from "vitest";
import { api } from "./client";
import { all, wholeRun } from "./lists";

test("pages are asked for until there is none", async () => {
  const asked: (string | undefined)[] = [];
  const pages: Record<string, { items: number[]; next_cursor?: string }> = {
    "": { items: [1, 2], next_cursor: "a" },
    a: { items: [3], next_cursor: "b" },
    b: { items: [] },
  };
  const whole = await all(async ({ cursor }) => {
    asked.push(cursor);
    return pages[cursor ?? ""] ?? { items: [] };
  });
  expect(whole).toEqual({ items: [1, 2, 3], more: false });
  expect(asked).toEqual([undefined, "a", "b"]);
});

test("a list without an end is given up with a word", async () => {
  const whole = await all(async () => ({ items: [1], next_cursor: "on" }));
  expect(whole.more).toBe(true);
  expect(whole.items.length).toBe(10);
});

test("a run comes with the tasks that its first page has not", async () => {
  const pages: Record<string, unknown> = {
    "": { id: "x", last_seq: 7, tasks: [{ name: "a" }], next_cursor: "1" },
    "1": { items: [{ name: "b" }], last_seq: 7, next_cursor: "2" },
    "2": { items: [{ name: "c" }], last_seq: 7 },
  };
  const asked: string[] = [];
  const get = vi.spyOn(api, "GET").mockImplementation(((path: string, init: unknown) => {
    const { query } = (init as { params: { query: { cursor?: string } } }).params;
    asked.push(path);
    return Promise.resolve({ data: pages[query.cursor ?? ""] });
  }) as unknown as typeof api.GET);
  const run = await wholeRun("x");
  get.mockRestore();
  expect(run.tasks.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(run.last_seq).toBe(7);
  expect(asked).toEqual([
    "/api/v1/runs/{id}",
    "/api/v1/runs/{id}/tasks",
    "/api/v1/runs/{id}/tasks",
  ]);
});
