/** Where a task stands in the text of its workflow. */

import { isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";

/** From the first character of a task to behind its last. */
export interface Place {
  from: number;
  to: number;
}

/** The places of all tasks by their names. A text that cannot be read has none. */
export function placesOf(source: string): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { name, node } of tasksIn(source)) {
    if (node.range) places.set(name, { from: node.range[0], to: node.range[1] });
  }
  return places;
}

/** The tasks that say `async: true`. */
export function asyncTasks(source: string): Set<string> {
  const found = tasksIn(source).filter(
    ({ node }) => isMap(node) && node.getIn(["execution", "async"]) === true,
  );
  return new Set(found.map(({ name }) => name));
}

function tasksIn(source: string): { name: string; node: Node }[] {
  const tasks = parseDocument(source, { logLevel: "silent" }).getIn(["workflow", "tasks"]);
  if (!isSeq(tasks)) return [];
  return tasks.items.flatMap((node) => {
    if (!isMap(node)) return [];
    const name = node.get("name", true);
    return isScalar(name) ? [{ name: String(name.value), node }] : [];
  });
}
