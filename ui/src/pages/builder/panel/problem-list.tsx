import { CircleAlert, TriangleAlert } from "lucide-react";
import { useBench } from "../state/bench";
import type { Problem } from "../state/problems";
import styles from "./panel.module.css";

/** What is wrong: each leads to its line and to its task. */
export function ProblemList({ problems }: { problems: readonly Problem[] }) {
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
            }}
          >
            {problem.severity === "error" ? (
              <CircleAlert size={16} role="img" aria-label="Error" />
            ) : (
              <TriangleAlert size={16} role="img" aria-label="Warning" />
            )}
            <span>
              {problem.message}
              {problem.help && <em>{problem.help}</em>}
            </span>
            <code>{problem.line}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}
