import { CircleX, Hammer, Repeat2 } from "lucide-react";
import { useAddress } from "../../../kit/address";
import { Button } from "../../../kit/button";
import { LinkButton } from "../../../kit/link";
import { When } from "../../../kit/time";
import { toned } from "../../../kit/tone";
import { useMay } from "../../../shell/me";
import type { TaskState } from "../model/state";
import { useWatched } from "../use-live";
import { counted, firstLine, lastLine } from "../words";
import styles from "./failed.module.css";
import { useVersions } from "./use-versions";

/** Tasks that are named; the graph has the others. */
const NAMED = 3;

/** Why a run failed, and the ways on from there. */
export function Failed({ onRerun }: { onRerun: () => void }) {
  const { detail, definition, live } = useWatched();
  const [, change] = useAddress();
  const tasks = toBlame(
    live.model.order.flatMap((name) => live.task(name) ?? []),
    (name) => definition.get(name)?.mayFail === true,
  );
  const select = (task: string) =>
    change({ task, panel: undefined, attempt: undefined, item: undefined }, true);
  return (
    <section className={styles.failed} style={toned("failed")} aria-label="What failed">
      <ul className={styles.tasks}>
        {tasks.slice(0, NAMED).map((task) => (
          <li key={task.name}>
            <CircleX size={16} aria-hidden />
            <p>
              <button type="button" className={styles.task} onClick={() => select(task.name)}>
                {task.name}
              </button>{" "}
              {says(task)}
            </p>
          </li>
        ))}
        {tasks.length > NAMED && <li>and {counted(tasks.length - NAMED, "other task")}</li>}
      </ul>
      {detail.external == null && <Ways onRerun={onRerun} first={tasks[0]} />}
    </section>
  );
}

interface WaysProps {
  onRerun: () => void;
  /** The first task that is named. */
  first: { name: string; phase: string } | undefined;
}

function Ways({ onRerun, first }: WaysProps) {
  const { detail } = useWatched();
  const may = useMay();
  const { newer, builder } = useVersions();
  if (!may("runs:retry", detail.namespace)) return null;
  // It failed by itself; nobody cancelled it.
  const failed = first?.phase === "failed";
  const canMend = failed && builder !== undefined;
  if (newer) {
    return (
      <div className={styles.ways}>
        <p>
          Version {newer.version} was saved <When at={newer.registered_at} />. A retry stays with{" "}
          {detail.version}; to try what was mended, run the new version.
        </p>
        <Button kind="primary" icon={Repeat2} onClick={onRerun}>
          Run {newer.version}…
        </Button>
      </div>
    );
  }
  return (
    <div className={styles.ways}>
      <p>
        {failed
          ? "Once what it needs is there, a retry goes on from here."
          : "A retry begins it anew and goes on from here."}
        {canMend && " If the task itself is wrong, mend it, save it, and run the new version."}
      </p>
      {canMend && (
        <LinkButton icon={Hammer} to={`${builder}?task=${encodeURIComponent(first.name)}`}>
          Mend it in the builder
        </LinkButton>
      )}
    </div>
  );
}

/** The tasks for whose sake a run failed: those that failed, or else were cancelled alone. */
export function toBlame(tasks: TaskState[], mayFail: (name: string) => boolean): TaskState[] {
  const blamed = tasks.filter(({ name }) => !mayFail(name));
  const failed = blamed.filter(({ phase }) => phase === "failed");
  return failed.length > 0 ? failed : blamed.filter(({ phase }) => phase === "cancelled");
}

function says({ phase, failure }: TaskState) {
  if (phase === "cancelled") return "was cancelled.";
  if (!failure) return "failed: items of it did.";
  const last = lastLine(failure);
  return (
    <>
      failed: {firstLine(failure)}
      {last !== undefined && <code className={styles.last}>{last}</code>}
    </>
  );
}
