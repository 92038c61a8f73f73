import { expect, it } from "vitest";
import { eventsOf, writtenEvents, wrongName } from "./events";

it("reads and writes events as they are written", () => {
  const written = ["order.placed", { name: "order.refused", on: "failure", payload: ["ORDER"] }];
  const events = eventsOf(written);
  expect(events).toEqual([
    { name: "order.placed", on: undefined, payload: undefined },
    { name: "order.refused", on: "failure", payload: ["ORDER"] },
  ]);
  expect(writtenEvents(events ?? [])).toEqual(written);
  expect(writtenEvents([])).toBeUndefined();
  expect(eventsOf(undefined)).toEqual([]);
});

it.each([
  ["x"],
  [[1]],
  [[{ on: "failure" }]],
  [[{ name: "a", more: 1 }]],
  [[{ name: "a", payload: "B" }]],
])("makes no form of %j", (value) => expect(eventsOf(value)).toBeUndefined());

it("tells names from others", () => {
  expect(["a", "order.placed", "a-1._"].map(wrongName)).toEqual([undefined, undefined, undefined]);
  for (const name of ["", "A", "a..b", ".a", "a b", "a".repeat(101)]) {
    expect(wrongName(name)).toBeDefined();
  }
});
