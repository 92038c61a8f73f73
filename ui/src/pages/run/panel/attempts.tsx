import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { History } from "lucide-react";
import { useRef } from "react";
import { api, data, type Schema } from "../../../api/client";
import { useAddress } from "../../../kit/address";
import { StateIcon } from "../../../kit/badge";
import { Scroll } from "../../../kit/scroll";
import { Empty, Failure, Loading } from "../../../kit/states";
import { duration, When } from "../../../kit/time";
import type { AttemptState, TaskState } from "../model/state";
import { useWatched } from "../use-live";
import { prettyValue } from "../values";
import { counted } from "../words";
import { chosenAttempt } from "./chosen";
import { FailureCard } from "./failure-card";
import styles from "./panel.module.css";

/** All attempts of a task, and one of them with what it saw and set. */
export function Attempts({ task }: { task: TaskState }) {
  const [params] = useAddress();
  const chosen = chosenAttempt(task, params);
  if (task.attempts.length === 0) {
    return (
      <Empty icon={History} title="No attempt yet">
        <p>It was not attempted so far.</p>
      </Empty>
    );
  }
  return (
    <div className={styles.sections}>
      <List task={task} chosen={chosen} />
      {chosen && <One task={task} attempt={chosen} />}
    </div>
  );
}

const ROW = 34;

function List({ task, chosen }: { task: TaskState; chosen: AttemptState | undefined }) {
  const [, change] = useAddress();
  const box = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: task.attempts.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  return (
    <section>
      {task.dropped > 0 && <p>{counted(task.dropped, "older attempt")} are not shown.</p>}
      <Scroll ref={box} className={styles.attempts} label="Attempts">
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((row) => {
            const attempt = task.attempts[row.index] as AttemptState;
            const { startedAt, endedAt, item } = attempt;
            return (
              <button
                key={row.key}
                type="button"
                className={styles.attempt}
                style={{ transform: `translateY(${row.start}px)` }}
                aria-pressed={attempt === chosen}
                onClick={() =>
                  change({
                    attempt: String(attempt.attempt),
                    item: item === undefined ? undefined : String(item),
                  })
                }
              >
                <StateIcon state={attempt.result === "held" ? "ready" : attempt.result} size={15} />
                <span>
                  {item !== undefined && `Item ${item} · `}Attempt {attempt.attempt}
                </span>
                <span className={styles.soft}>
                  {startedAt !== undefined && endedAt !== undefined
                    ? duration(Math.max(0, endedAt - startedAt))
                    : attempt.result}
                </span>
              </button>
            );
          })}
        </div>
      </Scroll>
    </section>
  );
}

function One({ task, attempt }: { task: TaskState; attempt: AttemptState }) {
  const { detail } = useWatched();
  const { item } = attempt;
  const path = { id: detail.id, task: task.name, attempt: attempt.attempt };
  const query = item === undefined ? {} : { item };
  const seen = useQuery({
    queryKey: ["run", detail.id, "attempt", task.name, attempt.attempt, item, attempt.result],
    queryFn: () =>
      data(
        api.GET("/api/v1/runs/{id}/tasks/{task}/attempts/{attempt}", { params: { path, query } }),
      ),
    // A task that is tried all the time leaves no trail of attempts behind.
    gcTime: 10_000,
  });
  const whole = useQuery({
    queryKey: ["run", detail.id, "outputs", task.name, task.phase],
    queryFn: () =>
      data(
        api.GET("/api/v1/runs/{id}/tasks/{task}", {
          params: { path: { id: detail.id, task: task.name } },
        }),
      ),
  });
  if (seen.error) return <Failure error={seen.error} retry={() => void seen.refetch()} />;
  if (!seen.data) return <Loading what="the attempt" />;
  const { ready_at, started_at, failure, inputs, undeclared } = seen.data;
  const waited = started_at ? Date.parse(started_at) - Date.parse(ready_at) : undefined;
  return (
    <>
      <p className={styles.soft}>
        {started_at ? (
          <>
            Started <When at={started_at} />
            {waited !== undefined && waited > 1 && ` after a wait of ${duration(waited)}`}.
          </>
        ) : (
          "Not started yet."
        )}
      </p>
      {failure && <FailureCard failure={failure} />}
      <Values title="What it saw" values={inputs} none="It takes no variables." />
      <Values
        title={task.items === undefined ? "What the task set" : "What all items set together"}
        values={whole.data?.outputs ?? []}
        none="Nothing so far."
      />
      {undeclared.length > 0 && (
        <Values title="Emitted without being declared" values={undeclared} none="" />
      )}
    </>
  );
}

type Value = Pick<Schema<"VariableView">, "name" | "value"> & { outdated?: boolean };

function Values(props: { title: string; values: Value[]; none: string }) {
  const { title, values, none } = props;
  return (
    <section>
      <h3>{title}</h3>
      {values.length === 0 && <p className={styles.soft}>{none}</p>}
      {values.map(({ name, value, outdated }) => (
        <div key={name} className={styles.value}>
          <code>{name}</code>
          {outdated && <small> has been set again since</small>}
          <Scroll label={`Value of ${name}`} className={styles.pre}>
            <pre>{prettyValue(value)}</pre>
          </Scroll>
        </div>
      ))}
    </section>
  );
}
