import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { StateBadge } from "../../kit/badge";
import { Scroll } from "../../kit/scroll";
import { duration, useNow, When } from "../../kit/time";
import type { RunView } from "./filter";
import styles from "./runs.module.css";

const ROW = 46;
/** Rows before the end at which the next page is asked for. */
const AHEAD = 40;

interface Props {
  runs: RunView[];
  chosen: ReadonlySet<string>;
  /** Nothing where there is nothing to choose runs for. */
  onChoose: ((chosen: ReadonlySet<string>) => void) | undefined;
  hasMore: boolean;
  onMore: () => void;
}

/** Runs in rows, of which only those in sight are elements of the page. */
export function RunTable({ runs, chosen, onChoose, hasMore, onMore }: Props) {
  const box = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: runs.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= runs.length - AHEAD) onMore();
  }, [hasMore, last, runs.length, onMore]);
  const before = shown[0]?.start ?? 0;
  const after = rows.getTotalSize() - (shown.at(-1)?.end ?? 0);
  const all = runs.length > 0 && runs.every((run) => chosen.has(run.id));
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose?.(next);
  };
  return (
    <Scroll ref={box} label="Runs" className={styles.box}>
      <table className={styles.table} aria-rowcount={hasMore ? -1 : runs.length + 1}>
        <caption className="visually-hidden">Runs, the youngest first</caption>
        <thead>
          <tr>
            {onChoose && (
              <th scope="col" className={styles.tick}>
                <input
                  type="checkbox"
                  aria-label="Choose all runs that are loaded"
                  checked={all}
                  onChange={() => onChoose(all ? new Set() : new Set(runs.map((run) => run.id)))}
                />
              </th>
            )}
            <th scope="col" className={styles.stateHead}>
              State
            </th>
            <th scope="col">Workflow</th>
            <th scope="col" className={`${styles.wideOnly} ${styles.idHead}`}>
              Run
            </th>
            <th scope="col" className={`${styles.wideOnly} ${styles.byHead}`}>
              Started by
            </th>
            <th scope="col" className={styles.atHead}>
              Accepted
            </th>
            <th scope="col" className={styles.number}>
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden style={{ height: before }} />}
          {shown.map(({ index }) => {
            const run = runs[index];
            return (
              run && (
                <Row
                  key={run.id}
                  run={run}
                  at={index + 2}
                  chosen={chosen.has(run.id)}
                  onToggle={onChoose && (() => toggle(run.id))}
                />
              )
            );
          })}
          {after > 0 && <tr aria-hidden style={{ height: after }} />}
        </tbody>
      </table>
    </Scroll>
  );
}

interface RowProps {
  run: RunView;
  at: number;
  chosen: boolean;
  onToggle: (() => void) | undefined;
}

function Row({ run, at, chosen, onToggle }: RowProps) {
  return (
    <tr aria-rowindex={at} data-chosen={chosen || undefined}>
      {onToggle && (
        <td className={styles.tick}>
          <input
            type="checkbox"
            aria-label={`Choose run ${run.id}`}
            checked={chosen}
            onChange={onToggle}
          />
        </td>
      )}
      <td className={styles.state}>
        <StateBadge state={run.state} />
        {run.state === "running" && !run.alive && <small>interrupted</small>}
      </td>
      <td className={styles.name}>
        <Link to={`/runs/${run.id}`}>{run.workflow}</Link>
        <span className={styles.soft}>
          {run.namespace !== "default" && `${run.namespace} · `}
          {run.version}
        </span>
        {run.tags?.slice(0, 3).map((tag) => (
          <span key={tag} className={styles.tag}>
            {tag}
          </span>
        ))}
      </td>
      <td className={styles.wideOnly}>
        <code>{run.id.slice(-8)}</code>
      </td>
      <td className={`${styles.wideOnly} ${styles.soft}`}>{run.initiator ?? "–"}</td>
      <td className={styles.soft}>
        <When at={run.created_at} />
      </td>
      <td className={styles.number}>
        <Took run={run} />
      </td>
    </tr>
  );
}

function Took({ run }: { run: RunView }) {
  if (!run.started_at) return "–";
  const start = Date.parse(run.started_at);
  if (run.finished_at) return duration(Math.max(0, Date.parse(run.finished_at) - start));
  return <Still start={start} />;
}

function Still({ start }: { start: number }) {
  return duration(Math.max(0, useNow(1000) - start));
}
