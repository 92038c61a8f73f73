import { expect, test } from "vitest";
import { asyncTasks, placesOf } from "./text-place";

const TEXT = `workflow:
  name: w
  tasks:
    - name: first
      plugin: noop
    # about the second
    - name: second
      plugin: cmd
      execution: { async: true }
`;

test("tasks are found where they stand", () => {
  const place = placesOf(TEXT).get("second");
  expect(place && TEXT.slice(place.from, place.to)).toMatch(/^name: second\n.*async: true \}/s);
});

test("only those that say so are async", () => {
  expect(asyncTasks(TEXT)).toEqual(new Set(["second"]));
});

test("a text that is no workflow has no places", () => {
  expect(placesOf("{")).toEqual(new Map());
  expect(placesOf("a: 1")).toEqual(new Map());
});
