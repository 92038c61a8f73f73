import { useQuery } from "@tanstack/react-query";
import { CircleCheck, Coffee, Hammer } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { StateIcon } from "../../kit/badge";
import { LinkButton } from "../../kit/link";
import { Empty, Failure, Loading } from "../../kit/states";
import { duration, useNow, When } from "../../kit/time";
import { useMay } from "../../shell/me";
import { firstError } from "./figures";
import styles from "./overview.module.css";
import { useFew } from "./use-overview";

type Run = Schema<"RunView">;

const SHOWN = 6;

export function RunningNow() {
  const running = useFew("running", "-created_at", SHOWN);
  const may = useMay();
  return (
    <Panel title="Running now" all="/runs?status=running">
      {running.error && <Failure error={running.error} retry={() => void running.refetch()} />}
      {running.isLoading && <Loading what="what runs" />}
      {running.data?.items.length === 0 && (
        <Empty icon={Coffee} title="Nothing runs right now">
          {may("workflows:register") && (
            <LinkButton icon={Hammer} to="/build">
              Build a workflow
            </LinkButton>
          )}
        </Empty>
      )}
      <ul className={styles.list}>
        {running.data?.items.map((run) => (
          <li key={run.id}>
            <Name run={run} />
            <span className={styles.soft}>
              {run.started_at && <Since at={run.started_at} />}
              {!run.alive && " · interrupted"}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function FailedLately() {
  const failed = useFew("failed", "-finished_at", SHOWN);
  return (
    <Panel title="Failed lately" all="/runs?status=failed">
      {failed.error && <Failure error={failed.error} retry={() => void failed.refetch()} />}
      {failed.isLoading && <Loading what="what failed" />}
      {failed.data?.items.length === 0 && <Empty icon={CircleCheck} title="Nothing has failed" />}
      <ul className={styles.list}>
        {failed.data?.items.map((run) => (
          <li key={run.id}>
            <Name run={run} />
            <span className={styles.soft}>
              <When at={run.finished_at ?? run.created_at} />
            </span>
            <ErrorOf run={run} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ErrorOf({ run }: { run: Run }) {
  const why = useQuery({
    queryKey: ["run", run.id, "why", run.finished_at],
    queryFn: () => data(api.GET("/api/v1/runs/{id}/why", { params: { path: { id: run.id } } })),
    staleTime: Number.POSITIVE_INFINITY,
    // Where much fails, one after the other is shown, and none again.
    gcTime: 30_000,
  });
  const error = why.data && firstError(why.data);
  if (!error) return null;
  return (
    <Link
      className={styles.error}
      to={`/runs/${run.id}?task=${encodeURIComponent(error.task)}`}
      title={error.message}
    >
      <strong>{error.task}</strong>: {error.message}
    </Link>
  );
}

function Name({ run }: { run: Run }) {
  return (
    <span className={styles.runName}>
      <StateIcon state={run.state} size={15} />
      <Link to={`/runs/${run.id}`}>{run.workflow}</Link>
      <code>{run.id.slice(-6)}</code>
    </span>
  );
}

function Since({ at }: { at: string }) {
  return `for ${duration(Math.max(0, useNow(1000) - Date.parse(at)))}`;
}

export function Panel(props: { title: string; all?: string; children: ReactNode }) {
  const { title, all, children } = props;
  return (
    <section className={styles.panel} aria-label={title}>
      <div className={styles.panelHead}>
        <h2>{title}</h2>
        {all && <Link to={all}>Show all</Link>}
      </div>
      {children}
    </section>
  );
}
