/** A workflow document as the canvas shows it: tasks and the links between them. */

import { isSeq, type Node } from "yaml";
import { isMapValue, type Json, type JsonMap, same } from "./json";
import { nodeOf } from "./nodes";
import { read, type Slip, type Source } from "./source";

/** An output as a task declares it: `NAME?` may be absent. */
export interface Output {
  name: string;
  optional: boolean;
}

export interface Task {
  /** Its name, made unique where several tasks have it while somebody types. */
  id: string;
  /** Its place in the list of tasks. */
  index: number;
  name: string;
  plugin: string;
  inputs: string[];
  outputs: Output[];
  dependsOn: string[];
  /** Everything that is written about it. */
  value: JsonMap;
  /** Its first and its last line, from 1. */
  lines: [first: number, last: number];
}

/** Tasks in an order: for the sake of variables, by `depends_on`, or because an `end` waits for all. */
export interface Link {
  id: string;
  kind: "variable" | "order" | "end";
  /** The ids of the tasks. */
  from: string;
  to: string;
  /** The variables that lead from one to the other; none for an order. */
  variables: string[];
}

export interface View {
  text: string;
  /** Why the text is no YAML; nothing can be changed on the canvas then. */
  slips: Slip[];
  workflow: JsonMap;
  name: string;
  namespace: string;
  version: string;
  tasks: Task[];
  /** What is written: it can be taken away. */
  links: Link[];
  /** These, and what an `end` waits for without its being written. */
  drawn: Link[];
  /** Names of all variables that are set or taken somewhere. */
  variables: string[];
}

const FIRST_VERSION = "0.1.0";

/** What leads from where to where. */
type Wiring = Pick<View, "tasks" | "links" | "drawn" | "variables"> & { env: Json | undefined };

let last: Wiring | undefined;

/** Reads a text. Where a change leaves the links as they were, they stay the same objects. */
export function view(text: string): View {
  const source = read(text);
  const workflow = mapOf(isMapValue(source.value) ? source.value.workflow : undefined);
  const tasks = readTasks(source, workflow);
  const { links, drawn, variables } = wired(tasks, workflow.env);
  return {
    text,
    slips: source.slips,
    workflow,
    name: textOf(workflow.name),
    namespace: textOf(workflow.namespace) || "default",
    version: textOf(workflow.version) || FIRST_VERSION,
    tasks,
    links,
    drawn,
    variables,
  };
}

function wired(tasks: Task[], env: Json | undefined): Wiring {
  const before = last;
  const stays =
    before?.tasks.length === tasks.length &&
    same(before.env, env) &&
    tasks.every((task, at) => sameEnds(task, before.tasks[at]));
  const links = stays ? before.links : linksOf(tasks);
  last = {
    tasks,
    env,
    links,
    drawn: stays ? before.drawn : [...links, ...endingsOf(tasks, links)],
    variables: stays ? before.variables : variablesOf(env, tasks),
  };
  return last;
}

/** Whether links lead to and from two tasks in the same way. */
function sameEnds(a: Task, b: Task | undefined): boolean {
  if (!b || a.id !== b.id) return false;
  if (a.value === b.value) return true;
  return ENDS.every((key) => same(a.value[key], b.value[key])) && same(a.dependsOn, b.dependsOn);
}

/** What of a task says which links it has, besides its orders. */
const ENDS = ["name", "plugin", "inputs", "outputs"];

function readTasks(source: Source, workflow: JsonMap): Task[] {
  const list = source.nodeAt(["workflow", "tasks"]);
  const values = Array.isArray(workflow.tasks) ? workflow.tasks : [];
  const seen = new Map<string, number>();
  return values.map((value, index) => {
    const map = mapOf(value);
    const name = textOf(map.name);
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    const node = isSeq(list) ? nodeOf(list.items[index]) : null;
    return {
      id: count === 0 && name !== "" ? name : `${name}\n${index}`,
      index,
      name,
      plugin: textOf(map.plugin),
      inputs: textsOf(map.inputs),
      outputs: textsOf(map.outputs).map(outputOf),
      dependsOn: textsOf(mapOf(map.execution).depends_on),
      value: map,
      lines: linesOf(source, node),
    };
  });
}

function linesOf(source: Source, node: Node | null): [number, number] {
  if (!node) return [1, 1];
  const first = source.lines.linePos(source.start(node)).line;
  return [first, source.lines.linePos(source.end(node)).line];
}

/** Who waits for whom. What emits `*` leads nowhere: it is not known what it emits. */
export function linksOf(tasks: readonly Task[]): Link[] {
  const links = new Map<string, Link>();
  const producers = new Map<string, Task[]>();
  for (const task of tasks) {
    for (const { name } of task.outputs) {
      const all = producers.get(name);
      if (!all) producers.set(name, [task]);
      else if (!all.includes(task)) all.push(task);
    }
  }
  const byName = new Map(tasks.map((task) => [task.name, task]));
  for (const task of tasks) {
    for (const variable of new Set(task.inputs)) {
      for (const producer of producers.get(variable) ?? []) {
        if (producer !== task) add(links, "variable", producer, task, variable);
      }
    }
    for (const name of task.dependsOn) {
      const before = byName.get(name);
      if (before && before !== task) add(links, "order", before, task);
    }
  }
  return [...links.values()];
}

/** An `end` waits for all that is not behind it; it is drawn behind those that nothing else is behind. */
export function endingsOf(tasks: readonly Task[], links: readonly Link[]): Link[] {
  const isEnd = new Set(tasks.filter(({ plugin }) => plugin === "end").map(({ id }) => id));
  const leadsOn = new Set(links.filter(({ to }) => !isEnd.has(to)).map(({ from }) => from));
  const written = new Set(links.map(({ from, to }) => `${from}\n${to}`));
  const found: Link[] = [];
  for (const to of isEnd) {
    const behind = behindOf(to, links);
    for (const { id: from } of tasks) {
      if (isEnd.has(from) || leadsOn.has(from) || behind.has(from)) continue;
      if (written.has(`${from}\n${to}`)) continue;
      found.push({ id: `end\n${from}\n${to}`, kind: "end", from, to, variables: [] });
    }
  }
  return found;
}

function behindOf(task: string, links: readonly Link[]): Set<string> {
  const behind = new Set([task]);
  // What is added is walked through, too.
  for (const at of behind) {
    for (const { from, to } of links) if (from === at) behind.add(to);
  }
  return behind;
}

function add(
  links: Map<string, Link>,
  kind: Link["kind"],
  from: Task,
  to: Task,
  variable?: string,
): void {
  const id = `${kind}\n${from.id}\n${to.id}`;
  const link = links.get(id) ?? { id, kind, from: from.id, to: to.id, variables: [] };
  if (variable !== undefined) link.variables.push(variable);
  links.set(id, link);
}

function variablesOf(env: Json | undefined, tasks: readonly Task[]): string[] {
  const names = new Set(Object.keys(mapOf(env)));
  for (const { inputs, outputs } of tasks) {
    for (const input of inputs) names.add(input);
    for (const { name } of outputs) if (name !== "*") names.add(name);
  }
  return [...names].toSorted();
}

export function outputOf(text: string): Output {
  const optional = text.endsWith("?");
  return { name: optional ? text.slice(0, -1) : text, optional };
}

export function mapOf(value: Json | undefined): JsonMap {
  return isMapValue(value) ? value : {};
}

export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

export function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
