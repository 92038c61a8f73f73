/** What of the workflow file's shape matters for writing it: the order of keys, and where names stand. */

import type { Path } from "./json";

const WORKFLOW = [
  "name",
  "namespace",
  "version",
  "description",
  "tags",
  "on_failure",
  "env",
  "secrets",
  "tasks",
];
const TASK = [
  "name",
  "plugin",
  "description",
  "requires_auth",
  "inputs",
  "outputs",
  "when",
  "for_each",
  "params",
  "execution",
  "retry",
  "allow_failure",
  "permissions",
  "contract",
  "events",
  "annotations",
];
const EXECUTION = [
  "async",
  "timeout",
  "workers",
  "depends_on",
  "parallel_group",
  "sync_before",
  "sync_after",
  "queue",
  "priority",
];
const EVENT = ["name", "on", "payload"];
const RETRY = ["max_attempts", "backoff", "initial", "max", "jitter"];

/** The order in which people write the keys of the map at a path; none where every order is as good. */
export function keyOrder(path: Path): readonly string[] | undefined {
  if (path.length === 1 && path[0] === "workflow") return WORKFLOW;
  if (!inTask(path)) return undefined;
  if (path.length === 3) return TASK;
  if (path.length === 4 && path[3] === "execution") return EXECUTION;
  if (path.length === 4 && path[3] === "retry") return RETRY;
  if (path.length === 5 && path[3] === "events") return EVENT;
  return undefined;
}

/** Whether the items of the list at a path stand on lines of their own, however short they are. */
export function hasLines(path: Path): boolean {
  return inTask(path) && path.length === 4 && path[3] === "events";
}

/** Whether the value at a path is a name, which YAML's own words may be as they are written. */
export function isName(path: Path): boolean {
  const list = path.at(-2);
  if (path[0] !== "workflow" || typeof path.at(-1) !== "number") return false;
  if (path.length === 3) return list === "secrets";
  if (!inTask(path)) return false;
  if (path.length === 5) return list === "inputs" || list === "outputs";
  return path.length === 7 && path[3] === "events" && list === "payload";
}

function inTask(path: Path): boolean {
  return path[0] === "workflow" && path[1] === "tasks" && typeof path[2] === "number";
}
