/** What can be done to a workflow: each change takes the whole value and answers with another one. */

import { isMapValue, type Json, type JsonMap, type Path, valueAt, withValue } from "./json";
import { rewrite } from "./rewrite";
import { read } from "./source";
import { type Link, mapOf, outputOf, type Task, textOf, textsOf } from "./view";

/** A change of a workflow, the value under the key `workflow`. */
export type Change = (workflow: JsonMap) => JsonMap;

/** The text after a change. A text that is no YAML has to be mended by hand first: it stays as it is. */
export function changed(text: string, change: Change): string {
  const source = read(text);
  if (source.slips.length > 0) return text;
  const document = mapOf(source.value);
  const workflow = change(mapOf(document.workflow));
  return rewrite(source, { ...document, workflow });
}

/** Several changes as one. */
export function all(...changes: Change[]): Change {
  return (workflow) => changes.reduce((value, change) => change(value), workflow);
}

/** Sets what stands at a path of the workflow, or takes it away with `undefined`. */
export function set(path: Path, value: Json | undefined): Change {
  return (workflow) => {
    const result = mapOf(withValue(workflow, path, value));
    return path[0] === "tasks" && !result.tasks ? { ...result, tasks: [] } : result;
  };
}

export function addTasks(tasks: readonly JsonMap[], at?: number): Change {
  return (workflow) => {
    const list = tasksOf(workflow);
    const place = at ?? beforeEnd(list);
    return { ...workflow, tasks: [...list.slice(0, place), ...tasks, ...list.slice(place)] };
  };
}

/** The task that ends a workflow stays the last of the text. */
function beforeEnd(tasks: readonly Json[]): number {
  return textOf(mapOf(tasks.at(-1)).plugin) === "end" ? tasks.length - 1 : tasks.length;
}

/** Takes tasks away, and what says that others wait for them. */
export function removeTasks(indexes: readonly number[]): Change {
  return (workflow) => {
    const tasks = tasksOf(workflow);
    const left = tasks.filter((_, at) => !indexes.includes(at));
    const names = new Set(left.map((task) => textOf(mapOf(task).name)));
    const gone = indexes
      .map((at) => textOf(mapOf(tasks[at]).name))
      .filter((name) => !names.has(name));
    return {
      ...workflow,
      tasks: left.map((task) => withoutOrders(task, gone)),
    };
  };
}

function withoutOrders(task: Json, gone: readonly string[]): Json {
  const waits = textsOf(valueAt(task, ["execution", "depends_on"]));
  if (!waits.some((name) => gone.includes(name))) return task;
  const left = waits.filter((name) => !gone.includes(name));
  return withValue(task, ["execution", "depends_on"], left.length > 0 ? left : undefined) ?? {};
}

/** Gives a task another name, also where others wait for it. */
export function renameTask(index: number, name: string): Change {
  return (workflow) => {
    const tasks = tasksOf(workflow);
    const before = textOf(mapOf(tasks[index]).name);
    const twins = tasks.filter((task) => textOf(mapOf(task).name) === before).length > 1;
    const renamed = tasks.map((task, at) => {
      const waits = textsOf(valueAt(task, ["execution", "depends_on"]));
      const other = at === index ? { ...mapOf(task), name } : task;
      if (before === "" || twins || !waits.includes(before)) return other;
      const names = waits.map((wait) => (wait === before ? name : wait));
      return withValue(other, ["execution", "depends_on"], names) ?? {};
    });
    return { ...workflow, tasks: renamed };
  };
}

/** Moves a task to another place in the text. What runs when does not follow from it. */
export function moveTask(index: number, to: number): Change {
  return (workflow) => {
    const tasks = tasksOf(workflow);
    const task = tasks[index];
    if (task === undefined) return workflow;
    const rest = tasks.toSpliced(index, 1);
    return { ...workflow, tasks: rest.toSpliced(to, 0, task) };
  };
}

/** Lets `to` wait for a variable that `from` sets. */
export function linkVariable(from: number, to: number, variable: string): Change {
  return all(
    onTask(from, (task) => {
      const outputs = textsOf(task.outputs);
      if (outputs.some((output) => outputOf(output).name === variable)) return task;
      return { ...task, outputs: [...outputs, variable] };
    }),
    onTask(to, (task) => {
      const inputs = textsOf(task.inputs);
      return inputs.includes(variable) ? task : { ...task, inputs: [...inputs, variable] };
    }),
  );
}

/**
 * Ends the wait of `to` for a variable that `from` sets. Where others set it too, `from` sets it no more,
 * unless somebody else waits for it.
 */
export function unlinkVariable(from: number, to: number, variable: string): Change {
  return (workflow) => {
    const tasks = tasksOf(workflow).map(mapOf);
    const sets = (task: JsonMap) =>
      textsOf(task.outputs).some((text) => outputOf(text).name === variable);
    const others = tasks.some((task, at) => at !== from && at !== to && sets(task));
    const wanted = tasks.some((task, at) => at !== to && textsOf(task.inputs).includes(variable));
    if (!others || wanted) return onTask(to, without("inputs", variable))(workflow);
    return onTask(from, without("outputs", variable))(workflow);
  };
}

function without(key: "inputs" | "outputs", variable: string): (task: JsonMap) => JsonMap {
  return (task) => {
    const left = textsOf(task[key]).filter((text) => outputOf(text).name !== variable);
    return mapOf(withValue(task, [key], left.length > 0 ? left : undefined));
  };
}

/** Lets `to` wait for `from`, without a variable. */
export function linkOrder(from: number, to: number): Change {
  return (workflow) => {
    const name = textOf(mapOf(tasksOf(workflow)[from]).name);
    return onTask(to, (task) => {
      const waits = textsOf(valueAt(task, ["execution", "depends_on"]));
      if (waits.includes(name)) return task;
      return mapOf(withValue(task, ["execution", "depends_on"], [...waits, name]));
    })(workflow);
  };
}

export function unlinkOrder(from: number, to: number): Change {
  return (workflow) => {
    const name = textOf(mapOf(tasksOf(workflow)[from]).name);
    return onTask(to, (task) => mapOf(withoutOrders(task, [name])))(workflow);
  };
}

/** What takes a link away. */
export function unlinked(link: Link, tasks: readonly Task[]): Change {
  const from = tasks.find(({ id }) => id === link.from)?.index;
  const to = tasks.find(({ id }) => id === link.to)?.index;
  if (from === undefined || to === undefined) return (workflow) => workflow;
  if (link.kind === "order") return unlinkOrder(from, to);
  return all(...link.variables.map((variable) => unlinkVariable(from, to, variable)));
}

/** Changes one task. */
export function onTask(index: number, change: (task: JsonMap) => JsonMap): Change {
  return (workflow) => {
    const tasks = tasksOf(workflow);
    const task = tasks[index];
    if (!isMapValue(task)) return workflow;
    const other = change(task);
    return other === task ? workflow : { ...workflow, tasks: tasks.with(index, other) };
  };
}

export function tasksOf(workflow: JsonMap): Json[] {
  return Array.isArray(workflow.tasks) ? workflow.tasks : [];
}

/** A name that is not taken yet: `name`, else `name_2`, `name_3`, … */
export function freeName(taken: ReadonlySet<string>, name: string): string {
  if (!taken.has(name)) return name;
  const stem = name.replace(/_\d+$/, "");
  let count = 2;
  while (taken.has(`${stem}_${count}`)) count += 1;
  return `${stem}_${count}`;
}
