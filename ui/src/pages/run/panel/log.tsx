import { useVirtualizer } from "@tanstack/react-virtual";
import Anser from "anser";
import {
  ArrowDownToLine,
  ChevronDown,
  ChevronUp,
  Download,
  ScrollText,
  Search,
  WrapText,
} from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useAddress } from "../../../kit/address";
import { Button, IconButton } from "../../../kit/button";
import { Scroll } from "../../../kit/scroll";
import { Empty, Failure, Loading } from "../../../kit/states";
import type { AttemptState, TaskState } from "../model/state";
import { useWatched } from "../use-live";
import { counted } from "../words";
import { chosenAttempt } from "./chosen";
import styles from "./log.module.css";
import { type LogState, readLog } from "./log-source";
import { saveLog } from "./save-log";

/** What an attempt of a task wrote, as it writes it. */
export function Log({ task }: { task: TaskState }) {
  const { detail } = useWatched();
  const [params, change] = useAddress();
  const attempt = chosenAttempt(task, params);
  if (!attempt || attempt.startedAt === undefined) {
    return (
      <Empty icon={ScrollText} title="No log yet">
        <p>It writes from its first attempt on.</p>
      </Empty>
    );
  }
  const item = attempt.item === undefined ? "" : `?item=${attempt.item}`;
  const name = encodeURIComponent(task.name);
  const path = `/api/v1/runs/${detail.id}/tasks/${name}/attempts/${attempt.attempt}/log${item}`;
  const show = (other: AttemptState) =>
    change({
      attempt: String(other.attempt),
      item: other.item === undefined ? undefined : String(other.item),
    });
  return (
    <div className={styles.log}>
      {task.attempts.length > 1 && (
        <label className={styles.which}>
          Attempt
          <select
            value={task.attempts.indexOf(attempt)}
            onChange={(event) => {
              const other = task.attempts[Number(event.target.value)];
              if (other) show(other);
            }}
          >
            {task.attempts.map((other, at) => (
              <option key={`${other.item}-${other.attempt}`} value={at}>
                {other.item === undefined ? "" : `item ${other.item}, `}
                attempt {other.attempt}, {other.result}
              </option>
            ))}
          </select>
        </label>
      )}
      <Lines key={path} path={path} name={`${task.name}-${attempt.attempt}.log`} />
    </div>
  );
}

const LINE = 19;

function Lines({ path, name }: { path: string; name: string }) {
  const [from, setFrom] = useState<"tail" | "start">("tail");
  const [state, setState] = useState<LogState>();
  const [error, setError] = useState<Error>();
  const [sought, setSought] = useState("");
  const [at, setAt] = useState(0);
  const [follows, setFollows] = useState(true);
  const [wraps, setWraps] = useState(true);
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    setState(undefined);
    setError(undefined);
    return readLog(path, from, setState, setError);
  }, [path, from]);
  const lines = state?.log.lines ?? [];
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    overscan: 20,
  });
  const revision = state?.log.revision;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the log changes in place
  const found = useMemo(() => state?.log.find(sought) ?? [], [revision, sought]);
  const current = found[Math.min(at, found.length - 1)];
  useEffect(() => {
    if (current !== undefined) rows.scrollToIndex(current, { align: "center" });
  }, [current, rows]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came is what is gone to
  useEffect(() => {
    if (follows && sought === "" && lines.length > 0) rows.scrollToIndex(lines.length - 1);
  }, [follows, revision]);
  const go = (step: number) => {
    if (found.length > 0)
      setAt((Math.min(at, found.length - 1) + step + found.length) % found.length);
  };
  if (error) return <Failure error={error} retry={() => setFrom(from)} />;
  if (!state) return <Loading what="the log" />;
  return (
    <>
      <div className={styles.tools}>
        <div className={styles.search}>
          <Search size={14} aria-hidden />
          <input
            type="search"
            aria-label="Search in the log"
            placeholder="Search"
            value={sought}
            onChange={(event) => {
              setSought(event.target.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
            }}
          />
          {sought !== "" && (
            <span role="status">
              {found.length === 0
                ? "none"
                : `${Math.min(at, found.length - 1) + 1}/${found.length}`}
            </span>
          )}
        </div>
        <IconButton icon={ChevronUp} label="Previous found line" onClick={() => go(-1)} />
        <IconButton icon={ChevronDown} label="Next found line" onClick={() => go(1)} />
        <IconButton
          icon={WrapText}
          label={wraps ? "Keep long lines whole" : "Wrap long lines"}
          aria-pressed={wraps}
          onClick={() => {
            setWraps(!wraps);
            rows.measure();
          }}
        />
        <IconButton
          icon={ArrowDownToLine}
          label={follows ? "Stop following" : "Follow the end"}
          aria-pressed={follows}
          onClick={() => setFollows(!follows)}
        />
        <IconButton
          icon={Download}
          label="Save the whole log"
          onClick={() => void saveLog(path, name)}
        />
      </div>
      {state.before > 0 && (
        <p className={styles.before}>
          {(state.before / 1024 / 1024).toFixed(1)} MiB come before this.
          <Button kind="quiet" onClick={() => setFrom("start")}>
            Read from the start
          </Button>
        </p>
      )}
      {state.log.dropped > 0 && (
        <p className={styles.before}>{counted(state.log.dropped, "older line")} are not shown.</p>
      )}
      <Scroll
        ref={box}
        className={styles.lines}
        label="Log"
        onWheel={(event) => {
          if (event.deltaY < 0) setFollows(false);
        }}
      >
        {lines.length === 0 && (
          <p className={styles.none}>
            {state.state === "ended" ? "It wrote nothing." : "Nothing was written so far."}
          </p>
        )}
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((row) => (
            <div
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              className={styles.line}
              data-found={row.index === current || undefined}
              data-wraps={wraps || undefined}
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <span className={styles.number}>{state.log.dropped + row.index + 1}</span>
              <Coloured raw={lines[row.index]?.raw ?? ""} />
            </div>
          ))}
        </div>
      </Scroll>
      <p className={styles.foot} role="status">
        {SAYS[state.state]} · {counted(lines.length, "line")}
      </p>
    </>
  );
}

const SAYS = {
  loading: "Reading",
  following: "Following",
  away: "The server is away; it goes on by itself",
  ended: "The whole log",
};

/** A line in the colours that it was written in. */
function Coloured({ raw }: { raw: string }) {
  if (!raw.includes("\u001b")) return <span>{raw}</span>;
  const parts = Anser.ansiToJson(raw, { use_classes: true, remove_empty: true, json: true });
  return (
    <span>
      {parts.map((part, at) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a line do not move
          key={at}
          className={[classOf(part.fg), part.decorations.includes("bold") && styles.bold]
            .filter(Boolean)
            .join(" ")}
          style={part.fg_truecolor ? { color: `rgb(${part.fg_truecolor})` } : undefined}
        >
          {part.content}
        </span>
      ))}
    </span>
  );
}

function classOf(colour: string | null): string | undefined {
  return colour === null ? undefined : styles[colour.replace("ansi-bright-", "ansi-")];
}
