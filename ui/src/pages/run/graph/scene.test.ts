import { expect, test } from "vitest";
import { placeByLevels } from "./place";
import { sceneOf, stem } from "./scene";

/** Each letter as wide as the others. */
const letters = (text: string) => 8 * text.length;
const measure = { name: letters, variable: letters };
const many = Array.from({ length: 6000 }, (_, at) => ({
  name: `work_${at}`,
  plugin: "sleep",
  signs: 1,
}));
const tasks = [{ name: "begin", plugin: "start", signs: 1 }, ...many];
const picture = {
  links: many.map(({ name }) => ({ from: "begin", to: name, variables: ["X"], order: false })),
  knots: [],
};

test("names that count are told from names that do not", () => {
  expect(stem("mDiffFit_00004001")).toBe("mDiffFit");
  expect(stem("individuals_ID0000001")).toBe("individuals");
  expect(stem("load")).toBe("load");
  expect(stem("42")).toBe("42");
});

test("tasks of a level that look alike close to one node, and open again", () => {
  const closed = sceneOf(tasks, picture, () => false, measure);
  expect(closed.nodes.map((node) => node.kind).sort()).toEqual(["group", "task"]);
  expect(closed.links).toHaveLength(1);
  const [group] = closed.groups;
  const open = sceneOf(tasks, picture, (name) => name === group, measure);
  expect(open.nodes).toHaveLength(6001);
  expect(open.groups).toEqual(closed.groups);
});

test("few tasks are never grouped", () => {
  const few = tasks.slice(0, 40);
  const scene = sceneOf(
    few,
    { links: picture.links.slice(0, 39), knots: [] },
    () => false,
    measure,
  );
  expect(scene.groups).toEqual([]);
  expect(scene.nodes).toHaveLength(40);
});

test("6,000 nodes are placed side by side, levels below each other", () => {
  const scene = sceneOf(tasks, picture, () => true, measure);
  const placed = placeByLevels(scene);
  const begin = placed.nodes.find((node) => node.id === "begin");
  const others = placed.nodes.filter((node) => node.id !== "begin");
  expect(others.every((node) => begin && node.y >= begin.y + begin.height)).toBe(true);
  const cells = new Set(placed.nodes.map((node) => `${node.x},${node.y}`));
  expect(cells.size).toBe(6001);
  expect(placed.box.width / placed.box.height).toBeGreaterThan(0.5);
  expect(placed.box.width / placed.box.height).toBeLessThan(4);
});

test("a node is as wide as its name and its signs want, within reason", () => {
  const widthOf = (name: string, signs: number) => {
    const lone = { links: [], knots: [] };
    const { nodes } = sceneOf([{ name, plugin: "cmd", signs }], lone, () => false, measure);
    return nodes[0]?.width ?? 0;
  };
  const short = widthOf("load", 1);
  const long = "warm_the_caches_of_europe";
  expect(widthOf("fetch", 1)).toBe(short);
  expect(widthOf(long, 1)).toBeGreaterThan(letters(long));
  expect(widthOf(long, 3)).toBeGreaterThan(widthOf(long, 1));
  expect(widthOf(long.repeat(20), 1)).toBeLessThan(2 * short);
});
