import { useVirtualizer } from "@tanstack/react-virtual";
import { ChartGantt, Maximize, Minus, Plus } from "lucide-react";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useAddress } from "../../../kit/address";
import { StateIcon } from "../../../kit/badge";
import { IconButton } from "../../../kit/button";
import { Check } from "../../../kit/field";
import { Empty } from "../../../kit/states";
import { duration } from "../../../kit/time";
import { useColours } from "../graph/use-colours";
import { hasEnded, type TaskState } from "../model/state";
import { useRevision, useWatched } from "../use-live";
import { paintRow, ROW, type Scale, timeOf } from "./paint";
import { inOrder, marksOf, pieceSays, piecesOf, rowSays, spanOf } from "./rows";
import styles from "./timeline.module.css";
import { useSize } from "./use-size";
import { useWindow } from "./use-window";

interface Props {
  selected: string | undefined;
  onSelect: (task: string) => void;
}

/** Free room at the right, and what a label of the axis may take. */
const MARGIN = 16;
const LABEL = 52;

/** How often the order of rows may change. */
const ORDER_MS = 500;

/** When each task waited, worked and rested. */
export default function Timeline({ selected, onSelect }: Props) {
  const { live } = useWatched();
  const [params, change] = useAddress();
  const revision = useRevision(live, ORDER_MS);
  const criticalOnly = params.get("path") === "critical";
  // biome-ignore lint/correctness/useExhaustiveDependencies: the model changes in place
  const tasks = useMemo(() => {
    const all = live.model.order.flatMap((name) => live.task(name) ?? []);
    return inOrder(criticalOnly ? all.filter((task) => live.model.isCritical(task.name)) : all);
  }, [live, revision, criticalOnly]);
  if (live.model.order.length === 0) {
    return <Empty icon={ChartGantt} title="This run has no tasks yet" />;
  }
  return (
    <div className={styles.timeline}>
      <Chart tasks={tasks} selected={selected} onSelect={onSelect}>
        <Check
          label="Critical path alone"
          checked={criticalOnly}
          onChange={(event) => change({ path: event.target.checked ? "critical" : undefined })}
        />
      </Chart>
    </div>
  );
}

interface ChartProps extends Props {
  tasks: TaskState[];
  children: React.ReactNode;
}

function Chart({ tasks, selected, onSelect, children }: ChartProps) {
  const { live } = useWatched();
  const { head } = live.model;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(box);
  const colours = useColours(canvas);
  const labels = width < 700 ? 132 : 250;
  const ended = hasEnded(head.state);
  const end = ended ? (head.finishedAt ?? Date.now()) : Date.now();
  const [first, last] = spanOf(tasks, head.startedAt, end);
  const view = useWindow(last - first);
  const scale: Scale = {
    from: first + view.from,
    to: first + view.to,
    width: Math.max(1, width - labels - MARGIN),
  };
  const rows = useVirtualizer({
    count: tasks.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 6,
  });
  const shown = rows.getVirtualItems();
  const marks = marksOf(view.from, view.to, Math.max(2, Math.floor(scale.width / 90)));
  const paint = useRef(() => {});
  paint.current = () => {
    const element = canvas.current;
    if (!element || !colours) return;
    const fine = window.devicePixelRatio || 1;
    const top = box.current?.scrollTop ?? 0;
    element.width = Math.round(scale.width * fine);
    element.height = Math.round(height * fine);
    const context = element.getContext("2d");
    if (!context) return;
    context.scale(fine, fine);
    const now = ended ? end : Date.now();
    const begin = Math.max(0, Math.floor(top / ROW));
    const stop = Math.min(tasks.length, Math.ceil((top + height) / ROW) + 1);
    for (let at = begin; at < stop; at += 1) {
      const task = live.task(tasks[at]?.name ?? "");
      if (!task) continue;
      const critical = live.model.isCritical(task.name);
      paintRow(context, task, { y: at * ROW - top, now, critical }, scale, colours);
    }
  };
  useEffect(() => paint.current());
  useEffect(() => {
    const element = box.current;
    const draw = () => paint.current();
    element?.addEventListener("scroll", draw, { passive: true });
    return () => element?.removeEventListener("scroll", draw);
  }, []);
  const [tip, setTip] = useState<{ x: number; y: number; says: string[] }>();
  const point = (event: PointerEvent) => {
    const element = box.current;
    if (!element) return;
    const place = element.getBoundingClientRect();
    const x = event.clientX - place.left - labels;
    const y = event.clientY - place.top;
    const task = live.task(tasks[Math.floor((y + element.scrollTop) / ROW)]?.name ?? "");
    if (!task || x < 0) return setTip(undefined);
    const at = timeOf(scale, x);
    const slack = ((scale.to - scale.from) / scale.width) * 3;
    const piece = piecesOf(task, ended ? end : Date.now()).findLast(
      (one) => one.from - slack <= at && at <= one.to + slack,
    );
    if (!piece) return setTip(undefined);
    setTip({ x: event.clientX, y: event.clientY, says: [task.name, pieceSays(task, piece)] });
  };
  return (
    <>
      <div className={styles.tools}>
        <IconButton icon={Plus} label="Nearer" onClick={() => view.zoom(0.5)} />
        <IconButton icon={Minus} label="Farther" onClick={() => view.zoom(2)} />
        <IconButton icon={Maximize} label="The whole time" onClick={view.whole} />
        {children}
        <Legend />
      </div>
      <div className={styles.axis} style={{ paddingLeft: labels }} aria-hidden>
        <div style={{ position: "relative", width: scale.width, height: 22 }}>
          {marks.map((mark) => {
            const left = ((mark - view.from) / (view.to - view.from)) * scale.width;
            // What would be cut off at the edge is not said.
            const fits = left + LABEL <= scale.width + MARGIN;
            return (
              <span key={mark} className={styles.mark} style={{ left }}>
                {mark === 0 ? "0" : fits && duration(mark)}
              </span>
            );
          })}
        </div>
      </div>
      <div
        ref={box}
        className={styles.box}
        onPointerMove={(event) => {
          if (event.buttons === 1) view.pan(-event.movementX / scale.width);
          point(event);
        }}
        onPointerLeave={() => setTip(undefined)}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.metaKey) return;
          const place = box.current?.getBoundingClientRect();
          const x = event.clientX - (place?.left ?? 0) - labels;
          view.zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, x / scale.width)));
        }}
      >
        <canvas
          ref={canvas}
          className={styles.canvas}
          style={{ left: labels, width: scale.width, height, marginBottom: -height }}
          aria-hidden
        />
        <ul
          className={styles.rows}
          style={{ height: rows.getTotalSize() }}
          aria-label="Tasks by time"
        >
          {shown.map((row) => {
            const task = live.task(tasks[row.index]?.name ?? "");
            if (!task) return null;
            const says = rowSays(task, first);
            return (
              <li
                key={row.key}
                className={styles.row}
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <button
                  type="button"
                  style={{ width: labels }}
                  aria-label={
                    live.model.isCritical(task.name) ? `${says}, on the critical path` : says
                  }
                  aria-pressed={task.name === selected}
                  title={says}
                  onClick={() => onSelect(task.name)}
                >
                  <StateIcon state={task.phase} size={14} />
                  <span>{task.name}</span>
                </button>
              </li>
            );
          })}
        </ul>
      </div>
      {tip && (
        <div
          className={styles.tip}
          role="tooltip"
          style={{ left: Math.min(tip.x + 14, window.innerWidth - 300), top: tip.y + 16 }}
        >
          <strong>{tip.says[0]}</strong>
          <span>{tip.says[1]}</span>
        </div>
      )}
    </>
  );
}

function Legend() {
  return (
    <ul className={styles.legend} aria-hidden>
      <li>
        <i className={styles.lineSign} /> waits for others
      </li>
      <li>
        <i className={styles.hatchSign} /> waits its turn or rests
      </li>
      <li>
        <i className={styles.pathSign} /> critical path
      </li>
    </ul>
  );
}
