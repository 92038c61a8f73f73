import { CircleAlert, TriangleAlert } from "lucide-react";
import { Prose } from "../../../kit/prose";
import { useBench } from "../state/bench";
import type { Problem } from "../state/problems";
import styles from "./panel.module.css";

interface ProblemListProps {
  problems: readonly Problem[];
  /** They are all of the task beside them: its name is not said again. */
  ofOne?: boolean;
  /** Called when one of them was gone to. */
  onGone?: () => void;
}

/** What is wrong: each leads to its line and to its task. */
export function ProblemList({ problems, ofOne, onGone }: ProblemListProps) {
  const { goToLine, select } = useBench();
  return (
    <ul className={styles.problems} aria-label="Problems">
      {problems.map((problem) => (
        <li key={`${problem.line}:${problem.column}:${problem.message}`}>
          <button
            type="button"
            data-severity={problem.severity}
            onClick={() => {
              goToLine(problem.line, problem.column);
              if (problem.task) select([problem.task.id], true);
              onGone?.();
            }}
          >
            {problem.severity === "error" ? (
              <CircleAlert size={16} role="img" aria-label="Error" />
            ) : (
              <TriangleAlert size={16} role="img" aria-label="Warning" />
            )}
            <span>
              {!ofOne && problem.task?.name && <strong>{problem.task.name}: </strong>}
              <Prose text={problem.message} />
              {problem.help && (
                <em>
                  <Prose text={problem.help} />
                </em>
              )}
            </span>
            <small>line {problem.line}</small>
          </button>
        </li>
      ))}
    </ul>
  );
}
