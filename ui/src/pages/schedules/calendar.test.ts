import { expect, test } from "vitest";
import { daysOf } from "./calendar";

const HOUR = 3_600_000;
const noon = new Date(2026, 10, 20, 12).getTime();

test("a tick is on its day, and days come one after the other", () => {
  const days = daysOf([{ name: "a", at: [noon + HOUR, noon + 25 * HOUR], goesOn: false }], noon, 3);
  expect(days.map(({ entries }) => entries.map(({ count }) => count))).toEqual([[1], [1], []]);
  expect(new Date(days[0]?.at ?? 0).getHours()).toBe(0);
  expect(days[0]?.entries[0]?.first).toBe(noon + HOUR);
});

test("what is too much to foretell goes on", () => {
  const at = [noon + HOUR, noon + 2 * HOUR];
  const [today, tomorrow] = daysOf([{ name: "often", at, goesOn: true }], noon, 2);
  expect(today?.entries).toEqual([{ name: "often", first: at[0], count: 2, goesOn: true }]);
  expect(tomorrow?.entries).toEqual([{ name: "often", first: undefined, count: 0, goesOn: true }]);
});

test("the first of a day stands first, and what only goes on last", () => {
  const [today] = daysOf(
    [
      { name: "late", at: [noon + 3 * HOUR], goesOn: false },
      { name: "on", at: [noon - 48 * HOUR], goesOn: true },
      { name: "soon", at: [noon + HOUR], goesOn: false },
    ],
    noon,
    1,
  );
  expect(today?.entries.map(({ name }) => name)).toEqual(["soon", "late", "on"]);
});
