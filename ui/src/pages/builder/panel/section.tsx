import type { ReactNode } from "react";
import type { Json } from "../document/json";
import type { Task } from "../document/view";
import styles from "./panel.module.css";

/** A part of the panel that can be folded; it says what is in it. */
export function Section(props: {
  title: string;
  sum?: string | undefined;
  open?: boolean;
  children: ReactNode;
}) {
  return (
    <details className={styles.section} open={props.open}>
      <summary>
        {props.title}
        {props.sum && <span>{props.sum}</span>}
      </summary>
      <div className={styles.fields}>{props.children}</div>
    </details>
  );
}

/** What a part of the panel is about, and how it writes. */
export interface Part {
  task: Task;
  put: (keys: (string | number)[], value: Json | undefined) => void;
  disabled: boolean;
}
