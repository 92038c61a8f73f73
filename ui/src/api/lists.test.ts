import { expect, test } from "vitest";
import { all } from "./lists";

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
