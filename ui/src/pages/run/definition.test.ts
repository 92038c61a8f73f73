import { expect, test } from "vitest";
import { levelsOf, pictureOf, tasksOf } from "./definition";

const task = (name: string, inputs: string[], outputs: string[], more: object = {}) => ({
  name,
  plugin: "cmd",
  inputs,
  outputs: { names: outputs.map((output) => ({ name: output })) },
  ...more,
});

const read = (tasks: object[]) => tasksOf({ tasks } as never);

test("a stored definition is read, and what is not there is not there", () => {
  const [one] = read([
    task("a", ["X"], ["Y"], {
      permissions: ["p"],
      when: "X > 1",
      execution: { exclusive: true, depends_on: ["b"] },
      retry: { max_attempts: 3 },
    }),
  ]);
  expect(one).toEqual({
    name: "a",
    plugin: "cmd",
    barrier: false,
    inputs: ["X"],
    outputs: ["Y"],
    dependsOn: ["b"],
    permissions: ["p"],
    exclusive: true,
    fires: true,
    forEach: false,
    mayFail: false,
    maxAttempts: 3,
  });
  expect(tasksOf({} as never)).toEqual([]);
});

test("variables lead from who sets them to who takes them, and `depends_on` is an order", () => {
  const tasks = read([
    task("a", [], ["X", "Y"]),
    task("b", ["X", "Y"], []),
    task("c", [], [], { execution: { depends_on: ["a"] } }),
  ]);
  expect(pictureOf(tasks).links).toEqual([
    { from: "a", to: "b", variables: ["X", "Y"], order: false },
    { from: "a", to: "c", variables: [], order: true },
  ]);
});

test("the end waits for the last of all others", () => {
  const tasks = read([
    task("a", [], ["X"]),
    task("b", ["X"], []),
    task("c", [], []),
    task("end", [], [], { kind: "barrier" }),
  ]);
  const into = pictureOf(tasks).links.filter((link) => link.to === "end");
  expect(into.map((link) => link.from)).toEqual(["b", "c"]);
});

test("a variable of many gets a knot", () => {
  const producers = Array.from({ length: 9 }, (_, at) => task(`p${at}`, [], ["X"]));
  const consumers = Array.from({ length: 9 }, (_, at) => task(`c${at}`, ["X"], []));
  const picture = pictureOf(read([...producers, ...consumers]));
  expect(picture.knots).toEqual([{ id: "knot:X", variable: "X" }]);
  expect(picture.links).toHaveLength(18);
});

test("levels are the longest way from the start, and circles end", () => {
  const link = (from: string, to: string) => ({ from, to });
  const levels = levelsOf(
    ["a", "b", "c", "d", "e"],
    [link("a", "b"), link("b", "c"), link("a", "c"), link("d", "e"), link("e", "d")],
  );
  expect(levels.get("c")).toBe(2);
  expect(levels.has("d") && levels.has("e")).toBe(true);
});
