import { useQuery } from "@tanstack/react-query";
import { ListVideo } from "lucide-react";
import { Link } from "react-router";
import { api, data } from "../../api/client";
import { useLive } from "../../api/live";
import { StateBadge } from "../../kit/badge";
import { CardHead } from "../../kit/facts";
import { Card, Table } from "../../kit/page";
import { Empty, Failure, Loading } from "../../kit/states";
import { duration, When } from "../../kit/time";
import { useMay } from "../../shell/me";
import styles from "./workflows.module.css";

const SHOWN = 10;

/** The last runs of a workflow, as they go on. */
export function RecentRuns(props: { namespace: string; workflow: string }) {
  const { namespace, workflow } = props;
  const may = useMay();
  const key = ["runs", "recent", namespace, workflow];
  const runs = useQuery({
    queryKey: key,
    queryFn: () =>
      data(api.GET("/api/v1/runs", { params: { query: { namespace, workflow, limit: SHOWN } } })),
    enabled: may("runs:list", namespace),
  });
  useLive({ types: ["run."] }, key);
  if (!may("runs:list", namespace)) return null;
  const words = new URLSearchParams({ namespace, workflow });
  const items = runs.data?.items ?? [];
  return (
    <Card>
      <CardHead title="Recent runs">
        {items.length > 0 && <Link to={`/runs?${words}`}>All runs</Link>}
      </CardHead>
      {runs.isPending && <Loading what="runs" />}
      {runs.error && <Failure error={runs.error} retry={() => void runs.refetch()} />}
      {runs.data && items.length === 0 && <Empty icon={ListVideo} title="It has not run yet" />}
      {items.length > 0 && (
        <Table caption="Recent runs" head={["State", "Run", "Version", "Started", "Took", "By"]}>
          {items.map((run) => (
            <tr key={run.id}>
              <td>
                <StateBadge state={run.state} />
              </td>
              <td>
                <Link to={`/runs/${run.id}`} className="mono">
                  {run.id}
                </Link>
              </td>
              <td className="mono">{run.version}</td>
              <td className={styles.soft}>
                <When at={run.started_at ?? run.created_at} />
              </td>
              <td className={styles.soft}>{took(run.started_at, run.finished_at)}</td>
              <td>{run.initiator}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

function took(from: string | null | undefined, until: string | null | undefined): string {
  if (!from || !until) return "";
  return duration(Date.parse(until) - Date.parse(from));
}
