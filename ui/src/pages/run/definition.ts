/** What a run executes: the part of the stored definition that these pages draw. */

import type { Schema } from "../../api/client";

/** A task as its workflow has it. */
export interface TaskDef {
  name: string;
  plugin: string;
  /** `end`: it waits for all that is not behind it. */
  barrier: boolean;
  inputs: string[];
  outputs: string[];
  dependsOn: string[];
  permissions: string[];
  /** Alone within its run. */
  exclusive: boolean;
  /** It fires by an event of its own: a condition or a list has to be evaluated. */
  fires: boolean;
  forEach: boolean;
  /** `allow_failure`: its run may succeed although it failed. */
  mayFail: boolean;
  maxAttempts: number;
}

/** An arrow between two tasks, or between a task and a knot. */
export interface Link {
  from: string;
  to: string;
  variables: string[];
  /** It is there for `depends_on` or for the end alone. */
  order: boolean;
}

/** A variable that many set and many take: arrows lead over it. */
export interface Knot {
  id: string;
  variable: string;
}

export interface Picture {
  links: Link[];
  knots: Knot[];
}

/** Producers times consumers beyond which a variable gets a knot, as in the server's own pictures. */
const CROSSING = 64;

/** Reads the tasks of a submission. One without a definition has none. */
export function tasksOf(definition: Schema<"RunSubmission">["definition"]): TaskDef[] {
  return list(record(definition).tasks).map((raw) => {
    const task = record(raw);
    const execution = record(task.execution);
    const outputs = list(record(task.outputs).names).map((output) => text(record(output).name));
    return {
      name: text(task.name),
      plugin: text(task.plugin),
      barrier: task.kind === "barrier",
      inputs: list(task.inputs).map(text),
      outputs,
      dependsOn: list(execution.depends_on).map(text),
      permissions: list(task.permissions).map(text),
      exclusive: execution.exclusive === true,
      fires: task.when !== undefined || task.for_each !== undefined,
      forEach: task.for_each !== undefined,
      mayFail: task.allow_failure === true,
      maxAttempts: Number(record(task.retry).max_attempts ?? 1),
    };
  });
}

/** The arrows that the names of variables and of tasks imply. */
export function pictureOf(tasks: TaskDef[]): Picture {
  const known = new Set(tasks.map((task) => task.name));
  const arrows = new Arrows();
  const knots = variables(tasks, arrows);
  for (const task of tasks) {
    for (const from of task.dependsOn) if (known.has(from)) arrows.add(from, task.name);
  }
  for (const barrier of tasks.filter((task) => task.barrier)) waits(barrier, tasks, arrows);
  return { links: arrows.all(), knots };
}

function variables(tasks: TaskDef[], arrows: Arrows): Knot[] {
  const producers = by(tasks, (task) => task.outputs);
  // A barrier's own inputs say less than what it waits for.
  const consumers = by(
    tasks.filter((task) => !task.barrier),
    (task) => task.inputs,
  );
  const knots: Knot[] = [];
  for (const [variable, from] of producers) {
    const to = consumers.get(variable) ?? [];
    if (from.length > 1 && from.length * to.length > CROSSING) {
      const id = `knot:${variable}`;
      knots.push({ id, variable });
      for (const name of from) arrows.add(name, id, variable);
      for (const name of to) arrows.add(id, name, variable);
    } else {
      for (const name of from) for (const other of to) arrows.add(name, other, variable);
    }
  }
  return knots;
}

/** Draws what a barrier waits for: the last of all tasks that are not behind it. */
function waits(barrier: TaskDef, tasks: TaskDef[], arrows: Arrows): void {
  const behind = arrows.reached(barrier.name);
  const isLast = (task: TaskDef) => task.barrier && arrows.after(task.name).length === 0;
  const others = tasks.filter(
    (task) => task !== barrier && !behind.has(task.name) && !isLast(task),
  );
  const waited = new Set(others.map((task) => task.name));
  for (const name of waited) {
    if (!arrows.after(name).some((to) => waited.has(to))) arrows.add(name, barrier.name);
  }
}

class Arrows {
  readonly #links = new Map<string, Map<string, Link>>();

  add(from: string, to: string, variable?: string): void {
    if (from === to) return;
    const out = this.#links.get(from) ?? new Map<string, Link>();
    this.#links.set(from, out);
    const link = out.get(to) ?? { from, to, variables: [], order: true };
    out.set(to, link);
    if (variable !== undefined && !link.variables.includes(variable)) {
      link.variables.push(variable);
      link.order = false;
    }
  }

  /** The tasks right behind one, also over a knot. */
  after(from: string): string[] {
    return [...(this.#links.get(from)?.keys() ?? [])].flatMap((to) =>
      to.startsWith("knot:") ? this.after(to) : [to],
    );
  }

  reached(from: string): Set<string> {
    const seen = new Set<string>();
    const open = [from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const to of this.#links.get(at)?.keys() ?? []) {
        if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
      }
    }
    return seen;
  }

  all(): Link[] {
    return [...this.#links.values()].flatMap((out) => [...out.values()]);
  }
}

/**
 * How far each node is from the start, along the longest way. Those on and behind a circle stand
 * where their first way leads.
 */
export function levelsOf(
  nodes: string[],
  links: { from: string; to: string }[],
): Map<string, number> {
  const next = new Map<string, string[]>();
  const missing = new Map<string, number>(nodes.map((node) => [node, 0]));
  for (const { from, to } of links) {
    const out = next.get(from);
    if (out) out.push(to);
    else next.set(from, [to]);
    missing.set(to, (missing.get(to) ?? 0) + 1);
  }
  const levels = new Map<string, number>();
  const open = nodes.filter((node) => missing.get(node) === 0);
  for (const node of open) levels.set(node, levels.get(node) ?? 0);
  for (let at = 0; at < open.length; at += 1) {
    const from = open[at] as string;
    for (const to of next.get(from) ?? []) {
      levels.set(to, Math.max(levels.get(to) ?? 0, (levels.get(from) ?? 0) + 1));
      const left = (missing.get(to) ?? 0) - 1;
      missing.set(to, left);
      if (left === 0) open.push(to);
    }
  }
  for (const node of nodes) if (!levels.has(node)) levels.set(node, 0);
  return levels;
}

function by(tasks: TaskDef[], names: (task: TaskDef) => string[]): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const task of tasks) {
    for (const name of new Set(names(task))) {
      const some = all.get(name);
      if (some) some.push(task.name);
      else all.set(name, [task.name]);
    }
  }
  return all;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
