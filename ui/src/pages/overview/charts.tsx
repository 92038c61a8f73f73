/** Charts, drawn as SVG; each has a table with the same figures for those who do not see it. */

import { type ReactNode, useRef } from "react";
import { duration } from "../../kit/time";
import { useSize } from "../run/timeline/use-size";
import { type Bucket, roundTop, type Spread } from "./figures";
import styles from "./overview.module.css";

const HEIGHT = 190;
const PAD = { left: 54, right: 8, top: 10, bottom: 24 };

interface Frame {
  width: number;
  x: (at: number) => number;
  y: (value: number) => number;
  step: number;
}

function Chart(props: {
  buckets: Bucket[];
  top: number;
  label: (value: number) => string;
  table: ReactNode;
  children: (frame: Frame) => ReactNode;
}) {
  const { buckets, top, label, table, children } = props;
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const inner = Math.max(1, width - PAD.left - PAD.right);
  const step = inner / Math.max(1, buckets.length);
  const high = HEIGHT - PAD.top - PAD.bottom;
  const frame: Frame = {
    width,
    step,
    x: (at) => PAD.left + at * step,
    y: (value) => PAD.top + high * (1 - value / top),
  };
  const every = Math.max(1, Math.ceil(62 / step));
  return (
    <div ref={box} className={styles.chart}>
      <svg width={width} height={HEIGHT} aria-hidden>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line
              className={styles.grid}
              x1={PAD.left}
              x2={width - PAD.right}
              y1={frame.y(top * share)}
              y2={frame.y(top * share)}
            />
            <text
              className={styles.tick}
              x={PAD.left - 6}
              y={frame.y(top * share) + 4}
              textAnchor="end"
            >
              {label(top * share)}
            </text>
          </g>
        ))}
        {buckets.map(
          (bucket, at) =>
            (buckets.length - 1 - at) % every === 0 && (
              <text
                key={bucket.from}
                className={styles.tick}
                x={frame.x(at) + step / 2}
                y={HEIGHT - 6}
                textAnchor="middle"
              >
                {momentOf(bucket)}
              </text>
            ),
        )}
        {width > 0 && children(frame)}
      </svg>
      <div className="visually-hidden">{table}</div>
    </div>
  );
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function momentOf({ from, to }: Bucket): string {
  return to - from > 4 * 3_600_000 ? day.format(from) : clock.format(from);
}

export interface Outcomes {
  succeeded: number;
  failed: number;
  cancelled: number;
}

const OUTCOMES = ["succeeded", "failed", "cancelled"] as const;
const TONES = { succeeded: "succeeded", failed: "failed", cancelled: "skipped" } as const;

/** How many runs ended when, and how. */
export function OutcomeChart({ buckets, values }: { buckets: Bucket[]; values: Outcomes[] }) {
  const sums = values.map((value) => value.succeeded + value.failed + value.cancelled);
  const top = roundTop(Math.max(2, ...sums));
  return (
    <Chart
      buckets={buckets}
      top={top}
      label={(value) => value.toLocaleString("en", { notation: "compact" })}
      table={
        <table>
          <caption>Runs that ended, by outcome</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              {OUTCOMES.map((outcome) => (
                <th key={outcome} scope="col">
                  {outcome}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {values.map((value, at) => (
              <tr key={buckets[at]?.from}>
                <th scope="row">{buckets[at] && momentOf(buckets[at])}</th>
                {OUTCOMES.map((outcome) => (
                  <td key={outcome}>{value[outcome]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      }
    >
      {({ x, y, step }) =>
        values.map((value, at) => {
          let below = 0;
          return (
            <g key={buckets[at]?.from}>
              <title>{`${buckets[at] ? momentOf(buckets[at]) : ""}: ${OUTCOMES.map((outcome) => `${value[outcome]} ${outcome}`).join(", ")}`}</title>
              <rect
                className={styles.hit}
                x={x(at)}
                y={PAD.top}
                width={step}
                height={HEIGHT - PAD.top - PAD.bottom}
              />
              {OUTCOMES.map((outcome) => {
                const from = below;
                below += value[outcome];
                const high = y(from) - y(below);
                return (
                  <rect
                    key={outcome}
                    x={x(at) + step * 0.16}
                    y={y(below)}
                    width={step * 0.68}
                    height={value[outcome] > 0 ? Math.max(2, high) : 0}
                    rx={Math.min(2, step * 0.1)}
                    fill={`var(--${TONES[outcome]})`}
                  />
                );
              })}
            </g>
          );
        })
      }
    </Chart>
  );
}

const LINES = [
  { name: "p50", colour: "var(--running)", dash: undefined },
  { name: "p95", colour: "var(--paused)", dash: "5 3" },
] as const;

/** How long runs took: half of them, and all but one in twenty. */
export function DurationChart({ buckets, values }: { buckets: Bucket[]; values: Spread[] }) {
  const top = roundTop(Math.max(1, ...values.map((value) => value.p95 ?? 0)));
  return (
    <Chart
      buckets={buckets}
      top={top}
      label={(value) => (value === 0 ? "0" : duration(value))}
      table={
        <table>
          <caption>How long runs took</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">p50</th>
              <th scope="col">p95</th>
            </tr>
          </thead>
          <tbody>
            {values.map((value, at) => (
              <tr key={buckets[at]?.from}>
                <th scope="row">{buckets[at] && momentOf(buckets[at])}</th>
                <td>{value.p50 === undefined ? "no run" : duration(value.p50)}</td>
                <td>{value.p95 === undefined ? "no run" : duration(value.p95)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      }
    >
      {({ x, y, step }) =>
        LINES.map(({ name, colour, dash }) => {
          const points = values.flatMap((value, at) => {
            const height = value[name];
            return height === undefined
              ? []
              : [{ at, x: x(at) + step / 2, y: y(height), value: height }];
          });
          return (
            <g key={name}>
              <polyline
                className={styles.line}
                points={points.map((point) => `${point.x},${point.y}`).join(" ")}
                stroke={colour}
                strokeDasharray={dash}
              />
              {points.map((point) => (
                <circle key={point.at} cx={point.x} cy={point.y} r={3.5} fill={colour}>
                  <title>{`${name}: ${duration(point.value)}`}</title>
                </circle>
              ))}
            </g>
          );
        })
      }
    </Chart>
  );
}
