import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX } from "lucide-react";
import { Link } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { StateBadge } from "../../kit/badge";
import { CardHead, Facts, Tag } from "../../kit/facts";
import kit from "../../kit/kit.module.css";
import { Card, Page } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { duration, When } from "../../kit/time";
import { toned } from "../../kit/tone";
import { useMay } from "../../shell/me";
import { Limits } from "./limits";
import { Retention } from "./retention";
import styles from "./system.module.css";

const EVERY_MS = 5000;

/** How the server is, and what it keeps within bounds. */
export default function System() {
  const may = useMay();
  return (
    <Page title="System">
      <div className={styles.two}>
        <Health />
        {may("status:get") && <Standing />}
      </div>
      {may("limits:list") && <Limits />}
      {may("runs:list") && <Retention />}
    </Page>
  );
}

/** A server that is not ready answers 503, and says why. */
async function readiness(): Promise<Schema<"Readiness">> {
  const answer = await fetch("/health/ready");
  return (await answer.json()) as Schema<"Readiness">;
}

function Health() {
  const health = useQuery({
    queryKey: ["health", "ready"],
    queryFn: readiness,
    refetchInterval: EVERY_MS,
  });
  return (
    <Card>
      <CardHead title="Health">
        {health.data && (
          <Tag tone={health.data.ready ? "succeeded" : "failed"}>
            {health.data.ready ? "Ready" : "Not ready"}
          </Tag>
        )}
      </CardHead>
      {health.isPending && <Loading what="the checks" />}
      {health.data && (
        <ul className={styles.checks}>
          {Object.entries(health.data.checks).map(([name, check]) => (
            <li key={name} style={toned(check.healthy ? "succeeded" : "failed")}>
              {check.healthy ? (
                <CircleCheck size={18} className={kit.tone} role="img" aria-label="Well" />
              ) : (
                <CircleX size={18} className={kit.tone} role="img" aria-label="Not well" />
              )}
              <strong>{name}</strong>
              <span>{check.message}</span>
              <small>{duration(check.took_s * 1000)}</small>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Standing() {
  const may = useMay();
  const status = useQuery({
    queryKey: ["health", "status"],
    queryFn: () => data(api.GET("/health/status")),
    refetchInterval: EVERY_MS,
  });
  const it = status.data;
  return (
    <Card>
      <CardHead title="Server">{it && <code>{it.version}</code>}</CardHead>
      {status.isPending && <Loading what="the server's status" />}
      {status.error && <Failure error={status.error} />}
      {it && (
        <>
          <Facts
            items={[
              ["Up for", duration(it.uptime_s * 1000)],
              ["Started", <When key="at" at={it.started_at} />],
              ["Tasks under way", it.tasks_running],
              ["Tasks that wait for a worker", it.tasks_ready],
              ["Open event streams", it.streams],
              ["Events are behind by", duration(it.feed_lag_s * 1000)],
              !!it.tls && [
                "Certificate",
                <span key="tls">
                  read <When at={it.tls.loaded_at} />
                  {it.tls.problem && <span className={kit.wrong}> {it.tls.problem}</span>}
                </span>,
              ],
            ]}
          />
          {Object.keys(it.runs).length > 0 && (
            <div className={styles.states}>
              {Object.entries(it.runs).map(([state, count]) =>
                may("runs:list") ? (
                  <Link key={state} to={`/runs?status=${state}`}>
                    <StateBadge state={state} /> {count}
                  </Link>
                ) : (
                  <span key={state}>
                    <StateBadge state={state} /> {count}
                  </span>
                ),
              )}
            </div>
          )}
        </>
      )}
    </Card>
  );
}
