import { expect, test } from "vitest";
import { pictureOf } from "./picture";

const node = (name: string) => ({ name, plugin: "cmd", split: false, join: false });
const edge = (from: string, to: string, variables: string[] = ["X"]) => ({
  from,
  to,
  variables,
  order: variables.length === 0,
});

const picture = pictureOf(
  {
    nodes: ["a", "b", "c", "d"].map(node),
    edges: [edge("a", "b"), edge("a", "c"), edge("b", "d"), edge("c", "d", [])],
    levels: [["a"], ["b", "c"], ["d"]],
    mermaid: "",
    dot: "",
  },
  (text) => 8 * text.length,
);

test("each task has a place, and no two have the same", () => {
  const places = picture.nodes.map(({ x, y }) => `${x},${y}`);
  expect(new Set(places).size).toBe(4);
  for (const { x, y, width, height } of picture.nodes) {
    expect(x + width).toBeLessThanOrEqual(picture.width);
    expect(y + height).toBeLessThanOrEqual(picture.height);
  }
});

test("what is waited for stands to the left, and order is told from data", () => {
  const x = Object.fromEntries(picture.nodes.map((it) => [it.name, it.x]));
  expect(x.a).toBeLessThan(x.b ?? 0);
  expect(x.c).toBeLessThan(x.d ?? 0);
  expect(picture.edges.map(({ order }) => order)).toEqual([false, false, false, true]);
});
