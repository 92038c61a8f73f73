/** The document as nodes and edges of the canvas; what has not changed stays the same object. */

import { MarkerType, Position } from "@xyflow/react";
import { same } from "../document/json";
import type { Link, Task } from "../document/view";
import type { LiveRun } from "../run/live";
import type { Problem } from "../state/problems";
import type { LinkFlowEdge } from "./link-edge";
import { type Place, type Places, SIZE } from "./places";
import { AFTER, IN, OUT, type TaskFlowNode } from "./task-node";

const TIP = {
  type: MarkerType.ArrowClosed,
  width: 16,
  height: 16,
  color: "var(--line-strong)",
};

/** Where the handles are is known, so that none has to be drawn for its links to be. */
const HANDLES: NonNullable<TaskFlowNode["handles"]> = [
  handle(IN, "target", { x: SIZE.width / 2, y: 0 }, 12),
  handle(OUT, "source", { x: SIZE.width / 2, y: SIZE.height }, 12),
  handle(AFTER, "source", { x: SIZE.width - 26, y: SIZE.height }, 10),
];

function handle(id: string, type: "source" | "target", { x, y }: Place, size: number) {
  const position = type === "target" ? Position.Top : Position.Bottom;
  return { id, type, position, x: x - size / 2, y: y - size / 2, width: size, height: size };
}

export interface Shown {
  tasks: readonly Task[];
  problems: readonly Problem[];
  live: LiveRun | undefined;
  linking: boolean;
}

export function nodesOf(
  shown: Shown,
  places: Places,
  selected: ReadonlySet<string>,
  before: readonly TaskFlowNode[],
): TaskFlowNode[] {
  const old = new Map(before.map((node) => [node.id, node]));
  const worst = new Map<number, Problem>();
  for (const problem of shown.problems) {
    if (!problem.task) continue;
    const other = worst.get(problem.task.index);
    if (!other || other.severity === "warning") worst.set(problem.task.index, problem);
  }
  return shown.tasks.map((task) => {
    const live = shown.live?.tasks.get(task.name);
    const data = {
      task,
      state: live?.state,
      why: live?.why?.message,
      problem: worst.get(task.index),
      linking: shown.linking,
    };
    const node = old.get(task.id);
    const position = places[task.id] ?? { x: 0, y: 0 };
    const isSelected = selected.has(task.id);
    if (
      node &&
      sameData(node.data, data) &&
      node.position.x === position.x &&
      node.position.y === position.y &&
      node.selected === isSelected
    ) {
      return node;
    }
    return {
      ...node,
      id: task.id,
      type: "task",
      position,
      data: node && sameData(node.data, data) ? node.data : data,
      selected: isSelected,
      ...SIZE,
      measured: SIZE,
      handles: HANDLES,
      ariaLabel: `Task ${task.name}, ${task.plugin}${live ? `, ${live.state}` : ""}`,
    };
  });
}

function sameData(a: TaskFlowNode["data"], b: TaskFlowNode["data"]): boolean {
  return (
    sameTask(a.task, b.task) &&
    a.state === b.state &&
    a.why === b.why &&
    a.linking === b.linking &&
    a.problem?.message === b.problem?.message
  );
}

/** A change elsewhere in the text makes new objects of tasks that say the same. */
function sameTask(a: Task, b: Task): boolean {
  return a === b || (a.index === b.index && same(a.value, b.value));
}

export function edgesOf(
  links: readonly Link[],
  selected: ReadonlySet<string>,
  before: readonly LinkFlowEdge[],
): LinkFlowEdge[] {
  const old = new Map(before.map((edge) => [edge.id, edge]));
  return links.map((link) => {
    const edge = old.get(link.id);
    const isSelected = selected.has(link.id);
    const same = edge?.data?.link.variables.join() === link.variables.join();
    if (edge && same && edge.selected === isSelected) return edge;
    return {
      id: link.id,
      type: "link",
      source: link.from,
      target: link.to,
      sourceHandle: link.kind === "order" ? AFTER : OUT,
      targetHandle: IN,
      data: { link },
      ...(link.kind === "end" && { selectable: false, focusable: false, deletable: false }),
      selected: isSelected,
      markerEnd: TIP,
      ariaLabel:
        link.kind !== "variable"
          ? `${link.to} runs after ${link.from}`
          : `${link.variables.join(", ")} from ${link.from} to ${link.to}`,
    };
  });
}
