import { expect, it } from "vitest";
import { view } from "../document/view";
import { around, fitted, isCrowded, NEAR_MOST, taskAt } from "./frame";
import { nodesOf } from "./nodes";
import { SIZE } from "./places";

/** Tasks in a row, each right of the one before. */
function row(count: number) {
  const names = Array.from({ length: count }, (_, at) => `t${at}`);
  const { tasks } = view(
    `workflow:\n  tasks:\n${names.map((name) => `    - { name: ${name}, plugin: noop }\n`).join("")}`,
  );
  const places = Object.fromEntries(names.map((name, at) => [name, { x: at * 300, y: 0 }]));
  const shown = { tasks, problems: [], live: undefined, linking: true };
  return nodesOf(shown, places, new Set(), []);
}

it("counts what is in sight alone", () => {
  const nodes = row(NEAR_MOST + 1);
  const far = { x: 0, y: 0, zoom: 0.05, width: 1000, height: 500 };
  expect(isCrowded(nodes, far)).toBe(true);
  expect(isCrowded(nodes, { ...far, zoom: 1 })).toBe(false);
  expect(isCrowded(nodes, { ...far, x: -400 })).toBe(false);
  expect(isCrowded(nodes.slice(1), far)).toBe(false);
});

it("finds the task at a place", () => {
  const nodes = row(3);
  expect(taskAt(nodes, { x: 301, y: 10 })?.id).toBe("t1");
  expect(taskAt(nodes, { x: 290, y: 10 })).toBeUndefined();
});

it("fits places into the room there is", () => {
  const places = row(3).map(({ position }) => position);
  expect(around(places)).toEqual({ x: 0, y: 0, width: 600 + SIZE.width, height: SIZE.height });
  expect(around([])).toBeUndefined();
  const fit = { padding: 0, least: 0.1, most: 1 };
  expect(fitted(places, { width: 408, height: 400 }, fit)?.zoom).toBeCloseTo(0.5, 1);
  expect(fitted(places, { width: 0, height: 0 }, fit)).toBeUndefined();
});
