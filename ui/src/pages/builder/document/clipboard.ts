/** Tasks as text on the clipboard: what is pasted looks as it was written, with its comments. */

import { isSeq } from "yaml";
import { addTasks, type Change, changed, freeName, renameTask, tasksOf } from "./change";
import { isMapValue, type JsonMap } from "./json";
import { nodeOf } from "./nodes";
import { asWritten, listLines } from "./render";
import { read } from "./source";
import { mapOf, type View, view } from "./view";

/** The text of tasks, as a list of YAML. */
export function copied(seen: View, indexes: readonly number[]): string {
  return indexes
    .toSorted((a, b) => a - b)
    .map((index) => {
      const text = writtenOf(seen, index);
      if (text !== undefined) return `- ${text.replaceAll(/\n(?!\n|$)/g, "\n  ")}\n`;
      const value = seen.tasks[index]?.value ?? {};
      return `${listLines([value], 0, ["workflow", "tasks"])}\n`;
    })
    .join("");
}

/** The tasks in a text: a list of tasks, one task, or a workflow. */
export function tasksIn(text: string): View | undefined {
  const indented = text
    .replaceAll("\r\n", "\n")
    .trimEnd()
    .replaceAll(/^(?=.)/gm, "    ");
  for (const candidate of [text, `workflow:\n  tasks:\n${indented}\n`, oneTask(indented)]) {
    const seen = view(candidate);
    const tasks = tasksOf(seen.workflow);
    const sound = tasks.length > 0 && tasks.every((task) => isMapValue(task) && "plugin" in task);
    if (seen.slips.length === 0 && sound) return seen;
  }
  return undefined;
}

function oneTask(indented: string): string {
  return `workflow:\n  tasks:\n    -\n${indented.replaceAll(/^/gm, "  ")}\n`;
}

/** Adds the tasks of a text, under names that are still free. Also answers with these names. */
export function pasted(seen: View, text: string): { change: Change; names: string[] } | undefined {
  let pieces = tasksIn(text);
  if (!pieces) return undefined;
  const taken = new Set(seen.tasks.map(({ name }) => name));
  const names: string[] = [];
  for (const { index } of pieces.tasks) {
    const task: { name: string } | undefined = pieces.tasks[index];
    const name = freeName(taken, task?.name || "task");
    taken.add(name);
    names.push(name);
    if (name === task?.name) continue;
    pieces = view(changed(pieces.text, renameTask(index, name)));
  }
  const last = pieces;
  const tasks = last.tasks.map(({ value, index }): JsonMap => {
    const written = writtenOf(last, index);
    return written === undefined ? value : asWritten({ ...mapOf(value) }, written);
  });
  return { change: addTasks(tasks), names };
}

/** How a task is written, its lines moved to the left margin. */
function writtenOf({ text }: View, index: number): string | undefined {
  const source = read(text);
  const list = source.nodeAt(["workflow", "tasks"]);
  if (!isSeq(list) || source.isFlow(list)) return undefined;
  const node = nodeOf(list.items[index]);
  // What refers to something elsewhere is of no use without it.
  if (
    !node ||
    /[&*][A-Za-z_]/.test(source.text.slice(source.dash(list, index), source.start(node) + 2))
  ) {
    return undefined;
  }
  const start = source.start(node);
  const indent = source.column(start);
  const lines = source.text.slice(start, source.lineEnd(source.end(node))).split("\n");
  return lines
    .map((line, at) => (at === 0 ? line : line.slice(Math.min(indent, line.search(/\S|$/)))))
    .join("\n");
}
