import { Link } from "react-router";
import { useAddress } from "../../kit/address";
import { Page } from "../../kit/page";
import { Failure } from "../../kit/states";
import { duration, useNow } from "../../kit/time";
import { type Tone, toned } from "../../kit/tone";
import { useMay } from "../../shell/me";
import { DurationChart, OutcomeChart } from "./charts";
import { hasNeverRun, PERIODS, type Period, spreads } from "./figures";
import { FailedLately, Panel, RunningNow } from "./lists";
import styles from "./overview.module.css";
import { Queues } from "./queues";
import { useEnded, useOutcomes, usePerformance, useStatus } from "./use-overview";
import { Welcome } from "./welcome";

/** A share in percent; it is 100 only if it is all. */
const share = (of: number) => `${Math.floor(of * 1000) / 10} %`;

const isPeriod = (name: string | null): name is Period => name !== null && name in PERIODS;

/** What happens on this server, and how it went lately. */
export default function Overview() {
  const may = useMay();
  const [params, change] = useAddress();
  const asked = params.get("period");
  const period: Period = isPeriod(asked) ? asked : "24h";
  const choice = (
    <fieldset className={styles.periods}>
      <legend className="visually-hidden">Period</legend>
      {Object.entries(PERIODS).map(([name, { label }]) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === period}
          onClick={() => change({ period: name === "24h" ? undefined : name })}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
  const seesStatus = may("status:get");
  const status = useStatus(seesStatus);
  if (status.data && hasNeverRun(status.data.runs)) {
    return (
      <Page title="Overview">
        <Welcome />
      </Page>
    );
  }
  return (
    <Page title="Overview" actions={choice}>
      <Tiles period={period} status={seesStatus} analytics={may("analytics:get")} />
      <div className={styles.two}>
        <div className={styles.stack}>
          <RunningNow />
          {seesStatus && <Queues />}
        </div>
        <FailedLately />
      </div>
      <Charts period={period} />
    </Page>
  );
}

interface TilesProps {
  period: Period;
  status: boolean;
  analytics: boolean;
}

function Tiles({ period, status, analytics }: TilesProps) {
  return (
    <ul className={styles.tiles}>
      {status && <Now />}
      {analytics && <Lately period={period} />}
    </ul>
  );
}

function Now() {
  const status = useStatus();
  const runs = status.data?.runs;
  return (
    <>
      <Tile
        label="Running"
        tone="running"
        value={runs ? (runs.running ?? 0) : undefined}
        to="/runs?status=running"
      />
      <Tile
        label="Queued"
        tone="waiting"
        value={runs ? (runs.queued ?? 0) : undefined}
        to="/runs?status=queued"
      />
    </>
  );
}

function Lately({ period }: { period: Period }) {
  const performance = usePerformance(period);
  const hour = performance.data?.windows.find((window) => window.hours === 24);
  const took = performance.data?.run_time;
  const rate = hour?.run_success_rate;
  return (
    <>
      <Tile
        label="Failed in 24 hours"
        tone="failed"
        value={hour?.runs_failed}
        to="/runs?status=failed&since=24h"
      />
      <Tile
        label="Succeeded in 24 hours"
        tone="succeeded"
        value={rate == null ? "–" : share(rate)}
      />
      <Tile
        label={`Median run, ${PERIODS[period].label}`}
        tone="running"
        value={took ? duration(took.p50_s * 1000) : "–"}
      />
      <Tile
        label={`p95 of runs, ${PERIODS[period].label}`}
        tone="paused"
        value={took ? duration(took.p95_s * 1000) : "–"}
      />
    </>
  );
}

interface TileProps {
  label: string;
  tone: Tone;
  value: string | number | undefined;
  to?: string;
}

function Tile({ label, tone, value, to }: TileProps) {
  const said = typeof value === "number" ? value.toLocaleString("en") : (value ?? "–");
  return (
    <li className={styles.tile} style={toned(tone)}>
      <span className={styles.label}>{label}</span>
      <strong>{to ? <Link to={to}>{said}</Link> : said}</strong>
    </li>
  );
}

function Charts({ period }: { period: Period }) {
  const now = useNow(30_000);
  const { buckets, counts, error } = useOutcomes(period, now);
  const ended = useEnded(period, buckets[0]?.from ?? now);
  const values = counts.map((count) => ({
    succeeded: count?.by_state.succeeded ?? 0,
    failed: count?.by_state.failed ?? 0,
    cancelled: count?.by_state.cancelled ?? 0,
  }));
  return (
    <div className={styles.two}>
      <Panel title={`Runs that ended, ${PERIODS[period].label}`}>
        <Key
          items={[
            ["Succeeded", "succeeded"],
            ["Failed", "failed"],
            ["Cancelled", "skipped"],
          ]}
        />
        {error ? <Failure error={error} /> : <OutcomeChart buckets={buckets} values={values} />}
      </Panel>
      <Panel title={`How long they took, ${PERIODS[period].label}`}>
        <Key
          items={[
            ["p50", "running"],
            ["p95", "paused"],
          ]}
        >
          {ended.data &&
            !ended.data.isAll &&
            `of the newest ${ended.data.runs.length.toLocaleString("en")}`}
        </Key>
        {ended.error ? (
          <Failure error={ended.error} retry={() => void ended.refetch()} />
        ) : (
          <DurationChart buckets={buckets} values={spreads(ended.data?.runs ?? [], buckets)} />
        )}
      </Panel>
    </div>
  );
}

function Key({ items, children }: { items: [string, Tone][]; children?: React.ReactNode }) {
  return (
    <p className={styles.key}>
      {items.map(([label, tone]) => (
        <span key={label} style={toned(tone)}>
          {label}
        </span>
      ))}
      {children}
    </p>
  );
}
