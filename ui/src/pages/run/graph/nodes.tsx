/** Nodes of the graph as elements of the page, near enough to be read. */

import type { NodeProps } from "@xyflow/react";
import { ChevronsUpDown, Clock, Layers, Repeat2, ShieldCheck, Spline } from "lucide-react";
import { memo, type ReactNode } from "react";
import { StateIcon } from "../../../kit/badge";
import { useNow } from "../../../kit/time";
import { lookOf, toned } from "../../../kit/tone";
import type { TaskDef } from "../definition";
import type { TaskState } from "../model/state";
import { useRevision, useTask, useWatched } from "../use-live";
import { standing } from "../words";
import styles from "./graph.module.css";
import type { PlacedNode } from "./place";

export interface NodeData extends Record<string, unknown> {
  node: PlacedNode;
  chosen: boolean;
  dotted: boolean;
  onChoose: (node: PlacedNode) => void;
}

/** How many signs may stand behind a task's name. That it waits and that it is dotted shows later. */
export function signsOf(def: TaskDef | undefined): number {
  const secured = def !== undefined && def.permissions.length > 0;
  return [def?.forEach, secured].filter(Boolean).length + 2;
}

interface Props extends NodeProps {
  data: NodeData;
}

export const TaskNode = memo(function TaskNode({ data }: Props) {
  const { node, chosen, dotted } = data;
  const task = useTask(node.id);
  const { definition, live } = useWatched();
  if (!task) return null;
  const def = definition.get(node.id);
  const { tone } = lookOf(task.phase);
  const waits = task.phase === "ready" || task.phase === "backing_off";
  const isCritical = live.model.isCritical(node.id);
  const names = [
    styles.node,
    chosen && styles.chosen,
    dotted && styles.dotted,
    task.phase === "running" && styles.running,
    isCritical && styles.critical,
  ];
  return (
    <button
      type="button"
      className={names.filter(Boolean).join(" ")}
      style={toned(tone)}
      title={[node.label, task.phase !== "running" && standing(task, 0)].filter(Boolean).join(": ")}
      aria-pressed={chosen}
      onClick={() => data.onChoose(node)}
    >
      <span className={styles.line}>
        <StateIcon state={task.phase} size={17} />
        <span className={styles.name}>{node.label}</span>
        {dotted && <Spline size={13} aria-hidden className={styles.mark} />}
        {waits && <Clock size={13} aria-hidden className={styles.mark} />}
        {def?.forEach && <Repeat2 size={13} aria-hidden className={styles.mark} />}
        {def !== undefined && def.permissions.length > 0 && (
          <ShieldCheck
            size={14}
            role="img"
            aria-label="needs permissions"
            className={styles.mark}
          />
        )}
      </span>
      <About task={task} />
      {isCritical && <span className="visually-hidden">on the critical path</span>}
    </button>
  );
});

function About({ task }: { task: TaskState }) {
  if (task.items !== undefined) return <Items task={task} items={task.items} />;
  const text =
    task.phase === "running" ? <Running task={task} /> : standing(task, task.settledAt ?? 0);
  return <Line plugin={task.plugin}>{text}</Line>;
}

function Line({ plugin, children }: { plugin: string; children: ReactNode }) {
  return (
    <span className={styles.about}>
      <span className={styles.plugin}>{plugin}</span>
      <span className={styles.said}>{children}</span>
    </span>
  );
}

function Running({ task }: { task: TaskState }) {
  return standing(task, useNow(1000));
}

function Items({ task, items }: { task: TaskState; items: number }) {
  const share = items === 0 ? 1 : task.settledItems / items;
  return (
    <span className={styles.about}>
      <span className={styles.bar} aria-hidden>
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span>
        {task.settledItems}/{items}
      </span>
    </span>
  );
}

/** Worst first: what a group is coloured by. */
const URGENT = [
  "failed",
  "running",
  "backing_off",
  "ready",
  "waiting",
  "cancelled",
  "skipped",
  "resolved",
  "succeeded",
];

/** How many tasks of a group stand where, the most urgent first. */
export function phasesOf(
  tasks: string[],
  task: (name: string) => TaskState | undefined,
): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of tasks) {
    const phase = task(name)?.phase ?? "waiting";
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
  }
  return URGENT.flatMap((phase): [string, number][] => {
    const count = counts.get(phase);
    return count ? [[phase, count]] : [];
  });
}

export const GroupNode = memo(function GroupNode({ data }: Props) {
  const { node, chosen } = data;
  const { live } = useWatched();
  useRevision(live);
  const phases = phasesOf(node.tasks, (name) => live.task(name));
  const first = phases[0]?.[0] ?? "waiting";
  return (
    <button
      type="button"
      className={[styles.node, styles.group, chosen && styles.chosen].filter(Boolean).join(" ")}
      style={toned(lookOf(first).tone)}
      title={`Open these ${node.tasks.length} tasks`}
      onClick={() => data.onChoose(node)}
    >
      <span className={styles.line}>
        <Layers size={16} aria-hidden />
        <span className={styles.name}>{node.label}</span>
        <span className={styles.many}>×{node.tasks.length.toLocaleString("en")}</span>
        <ChevronsUpDown size={14} aria-hidden className={styles.mark} />
      </span>
      <span className={styles.shares} aria-hidden>
        {phases.map(([phase, count]) => (
          <span key={phase} style={{ ...toned(lookOf(phase).tone), flexGrow: count }} />
        ))}
      </span>
      <span className={styles.tallies}>
        {phases.slice(0, 4).map(([phase, count]) => (
          <span key={phase} style={toned(lookOf(phase).tone)}>
            <StateIcon state={phase} size={12} /> {count.toLocaleString("en")}
          </span>
        ))}
      </span>
    </button>
  );
});

export function KnotNode({ data }: Props) {
  return (
    <span className={styles.knot} title={`Many tasks set ${data.node.label}, and many take it`}>
      {data.node.label}
    </span>
  );
}
