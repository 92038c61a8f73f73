import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { CircleAlert, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { StateIcon } from "../../../kit/badge";
import { lookOf, toned } from "../../../kit/tone";
import type { Task } from "../document/view";
import type { Problem } from "../state/problems";
import styles from "./canvas.module.css";
import { isAsync, kindOf, signsOf } from "./look";

export interface TaskData extends Record<string, unknown> {
  task: Task;
  /** The state of the run that is watched. */
  state: string | undefined;
  /** Why it failed or was skipped in this run. */
  why: string | undefined;
  problem: Problem | undefined;
  /** Whether links may be drawn. */
  linking: boolean;
}

export type TaskFlowNode = Node<TaskData, "task">;

/** Where links end and begin, by the names of handles. */
export const IN = "in";
export const OUT = "out";
export const AFTER = "after";

/** A task on the canvas. */
export const TaskNode = memo(function TaskNode({ data, selected }: NodeProps<TaskFlowNode>) {
  const { task, state, why, problem, linking } = data;
  const { icon: Icon } = kindOf(task.plugin);
  const isMark = task.plugin === "start" || task.plugin === "end";
  return (
    <div
      className={styles.task}
      style={state ? toned(lookOf(state).tone) : undefined}
      data-async={!isMark && isAsync(task)}
      data-selected={selected}
      data-state={state}
      data-wrong={problem?.severity}
      title={why ?? problem?.message ?? titleOf(task)}
    >
      <Handle type="target" id={IN} position={Position.Top} isConnectable={linking} />
      <span className={styles.icon} data-plugin={task.plugin}>
        <Icon size={18} aria-hidden />
      </span>
      <span className={styles.words}>
        <strong>{task.name || "(no name)"}</strong>
        <span>{task.plugin || "no plugin"}</span>
      </span>
      <span className={styles.signs}>
        {signsOf(task).map(({ icon: Sign, label }) => (
          <span key={label} title={label}>
            <Sign size={13} role="img" aria-label={label} />
          </span>
        ))}
      </span>
      {state && (
        <span className={styles.state}>
          <StateIcon state={state} size={18} />
        </span>
      )}
      {problem && !state && (
        <span className={styles.problem} data-severity={problem.severity} title={problem.message}>
          {problem.severity === "error" ? (
            <CircleAlert size={18} role="img" aria-label={`Error: ${problem.message}`} />
          ) : (
            <TriangleAlert size={18} role="img" aria-label={`Warning: ${problem.message}`} />
          )}
        </span>
      )}
      <Handle
        type="source"
        id={OUT}
        position={Position.Bottom}
        isConnectable={linking}
        title="Draw to another task: a variable"
      />
      <Handle
        type="source"
        id={AFTER}
        position={Position.Bottom}
        className={styles.after}
        isConnectable={linking}
        title="Draw to another task: it runs after this one"
      />
    </div>
  );
});

function titleOf({ name, value, plugin }: Task): string {
  const about = typeof value.description === "string" ? `\n${value.description}` : "";
  return `${name} (${plugin})${about}`;
}
