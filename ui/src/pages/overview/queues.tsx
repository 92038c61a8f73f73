import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, data } from "../../api/client";
import { When } from "../../kit/time";
import { useMay } from "../../shell/me";
import { Panel } from "./lists";
import styles from "./overview.module.css";
import { useFew, useStatus } from "./use-overview";

/** What waits, how much of it, and since when. */
export function Queues() {
  const may = useMay();
  const status = useStatus();
  const oldest = useFew("queued", "created_at", 1);
  const limits = useQuery({
    queryKey: ["overview", "limits"],
    queryFn: () => data(api.GET("/api/v1/limits", { params: { query: { limit: 200 } } })),
    enabled: may("limits:list"),
    refetchInterval: 10_000,
  });
  const first = oldest.data?.items[0];
  return (
    <Panel title="Queues">
      <dl className={styles.queues}>
        <div>
          <dt>Runs that wait to begin</dt>
          <dd>
            <Link to="/runs?status=queued">{status.data?.runs.queued ?? 0}</Link>
            {first && (
              <small>
                {" "}
                oldest <When at={first.created_at} />
              </small>
            )}
          </dd>
        </div>
        <div>
          <dt>Tasks that wait for a place</dt>
          <dd>{status.data?.tasks_ready.toLocaleString("en") ?? "–"}</dd>
        </div>
        <div>
          <dt>Tasks at work</dt>
          <dd>{status.data?.tasks_running.toLocaleString("en") ?? "–"}</dd>
        </div>
        {limits.data?.items.map((limit) => (
          <div key={limit.name}>
            <dt>
              Limit <code>{limit.name}</code>
            </dt>
            <dd>
              {limit.counts === "tasks"
                ? `at most ${limit.max_tasks} at once`
                : `${limit.runs} under way`}
              {limit.counts === "runs" && <small> {limit.waiting} wait</small>}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
