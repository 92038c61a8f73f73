import { useQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { api, data } from "../../../api/client";
import { Failure, Loading } from "../../../kit/states";
import { When } from "../../../kit/time";
import type { TaskState } from "../model/state";
import { useWatched } from "../use-live";
import { FailureCard } from "./failure-card";
import styles from "./panel.module.css";
import { TaskLink } from "./task-link";
import { useAgain } from "./use-again";
import { type Sentence, whySentences } from "./why";

/** Where a task stands and why, from what the server recorded. */
export function About({ task }: { task: TaskState }) {
  const { detail, definition } = useWatched();
  const def = definition.get(task.name);
  return (
    <div className={styles.sections}>
      <Why task={task} />
      {task.failure && (task.phase === "failed" || task.phase === "backing_off") && (
        <FailureCard failure={task.failure} />
      )}
      <section>
        <h3>Facts</h3>
        <dl className={styles.list}>
          {task.readyAt !== undefined && (
            <>
              <dt>Ready</dt>
              <dd>
                <When at={new Date(task.readyAt).toISOString()} />
              </dd>
            </>
          )}
          {task.settledAt !== undefined && (
            <>
              <dt>Settled</dt>
              <dd>
                <When at={new Date(task.settledAt).toISOString()} />
              </dd>
            </>
          )}
          <Names title="Takes" names={def?.inputs ?? []} />
          <Names title="Sets" names={def?.outputs ?? []} />
          <Names title="Depends on" names={def?.dependsOn ?? []} />
          {def !== undefined && def.permissions.length > 0 && (
            <>
              <dt>Needs</dt>
              <dd className={styles.needs}>
                <ShieldCheck size={14} aria-hidden /> {def.permissions.join(", ")}
              </dd>
            </>
          )}
          {def?.exclusive && (
            <>
              <dt>Runs</dt>
              <dd>alone within its run</dd>
            </>
          )}
          {def !== undefined && def.maxAttempts > 1 && (
            <>
              <dt>Attempts</dt>
              <dd>at most {def.maxAttempts}</dd>
            </>
          )}
        </dl>
        {detail.tasks.length > 0 && def === undefined && <p>Its workflow says no more of it.</p>}
      </section>
    </div>
  );
}

function Names({ title, names }: { title: string; names: string[] }) {
  if (names.length === 0) return null;
  return (
    <>
      <dt>{title}</dt>
      <dd className={styles.names}>
        {names.map((name) => (
          <code key={name}>{name}</code>
        ))}
      </dd>
    </>
  );
}

function Why({ task }: { task: TaskState }) {
  const { detail } = useWatched();
  const key = ["run", detail.id, "why", task.name];
  const why = useQuery({
    queryKey: key,
    queryFn: () =>
      data(
        api.GET("/api/v1/runs/{id}/tasks/{task}/why", {
          params: { path: { id: detail.id, task: task.name } },
        }),
      ),
    staleTime: 0,
    refetchInterval: task.settledAt === undefined ? 5000 : false,
  });
  const { phase, settledItems, attempts, dropped } = task;
  useAgain(key, `${phase} ${settledItems} ${attempts.length + dropped}`);
  return (
    <section>
      <h3>Why it stands here</h3>
      {why.error && <Failure error={why.error} retry={() => void why.refetch()} />}
      {why.isLoading && <Loading what="the reason" />}
      {why.data && (
        <ul className={styles.why}>
          {whySentences(why.data).map((sentence, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: sentences have no names
            <li key={at}>
              <Said sentence={sentence} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Said({ sentence }: { sentence: Sentence }) {
  return sentence.map((part, at) => {
    if (typeof part === "string") return part;
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no names
    if ("at" in part) return <When key={at} at={part.at} />;
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no names
    return <TaskLink key={at} {...part} />;
  });
}
