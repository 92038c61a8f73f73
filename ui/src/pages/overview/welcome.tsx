import { Hammer, Play, ScanEye, Workflow } from "lucide-react";
import { LinkButton } from "../../kit/link";
import { useMay } from "../../shell/me";
import styles from "./overview.module.css";

const STEPS = [
  [Hammer, "Build", "Drag tasks onto a canvas, and draw what each waits for."],
  [Play, "Run", "What waits for nothing runs side by side; nothing that was done is lost."],
  [ScanEye, "Watch", "Each task with its log; one that failed says why, and is tried again."],
] as const;

/** What is shown where nothing has ever run: what this is, and how to begin. */
export function Welcome() {
  const may = useMay();
  return (
    <section className={styles.welcome} aria-labelledby="welcome">
      <h2 id="welcome">Nothing has run here yet</h2>
      <p>
        A workflow says which tasks there are and what each waits for. A run does them, and what
        happens shows here.
      </p>
      <ol className={styles.steps}>
        {STEPS.map(([Icon, name, about]) => (
          <li key={name}>
            <Icon size={20} aria-hidden />
            <strong>{name}</strong>
            <span>{about}</span>
          </li>
        ))}
      </ol>
      <div className={styles.begin}>
        {may("workflows:register") && (
          <LinkButton kind="primary" icon={Hammer} to="/build">
            Build a workflow
          </LinkButton>
        )}
        <LinkButton icon={Workflow} to="/workflows">
          Choose one to run
        </LinkButton>
      </div>
    </section>
  );
}
