import { ExternalLink, Pause, Play, RotateCcw, Square, X } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api } from "../../../api/client";
import { StateBadge } from "../../../kit/badge";
import { Button, IconButton } from "../../../kit/button";
import { Confirm } from "../../../kit/dialog";
import { useToasts } from "../../../kit/toast";
import { useMay } from "../../../shell/me";
import { set } from "../document/change";
import { mapOf } from "../document/view";
import { useTyped } from "../panel/fields";
import { useBench } from "../state/bench";
import { hasEnded, isSettled, type LiveRun } from "./live";
import styles from "./run.module.css";

export interface RunBarProps {
  workers: number | undefined;
  onWorkers: (workers: number | undefined) => void;
  /** The most tasks at once of the run that is watched. */
  granted: number | undefined;
  onRun: () => void;
  busy: boolean;
  onForget: () => void;
  /** The version that the run began with that is watched. */
  began: string | undefined;
  /** The version that is shown; none if it was changed since. */
  current: string | undefined;
}

/** Execution controls: run, pause, stop, and how many tasks at once. */
export function RunBar(props: RunBarProps) {
  const { workers, onWorkers, granted, onRun, busy, onForget, began, current } = props;
  const { live, view, sound } = useBench();
  const may = useMay();
  const under = live !== undefined && !hasEnded(live.state);
  return (
    <section className={styles.bar} aria-label="Execution controls">
      {may("runs:start", view.namespace) && (
        <Button
          kind="primary"
          icon={Play}
          onClick={onRun}
          disabled={busy || under || !sound || view.tasks.length === 0}
        >
          Run
        </Button>
      )}
      {live && under && <Controls live={live} />}
      <Workers workers={workers} onWorkers={onWorkers} />
      {live && (
        <>
          <span className={styles.spacer} />
          <Status live={live} granted={granted} />
          <Culprit live={live} />
          {!under && <Retry live={live} began={began} current={current} />}
          <Link to={`/runs/${live.id}`} className={styles.open}>
            Open run <ExternalLink size={14} aria-hidden />
          </Link>
          {!under && <IconButton icon={X} label="Show no run any more" onClick={onForget} />}
        </>
      )}
    </section>
  );
}

function Controls({ live }: { live: LiveRun }) {
  const [stopping, setStopping] = useState(false);
  const tell = useToasts();
  const may = useMay();
  const { view } = useBench();
  const path = { params: { path: { id: live.id } } };
  const isPaused = live.state === "paused";
  const pause = () =>
    (isPaused
      ? api.POST("/api/v1/runs/{id}/resume", path)
      : api.POST("/api/v1/runs/{id}/pause", path)
    ).catch(tell.failed);
  return (
    <>
      {may("runs:pause", view.namespace) && (
        <Button
          icon={isPaused ? Play : Pause}
          title={isPaused ? "Go on" : "Let nothing new start; what is under way goes on"}
          onClick={pause}
        >
          {isPaused ? "Resume" : "Pause"}
        </Button>
      )}
      {may("runs:cancel", view.namespace) && (
        <Button icon={Square} kind="danger" onClick={() => setStopping(true)}>
          Stop
        </Button>
      )}
      {stopping && (
        <Confirm
          title="Stop this run?"
          action="Stop the run"
          danger
          onClose={() => setStopping(false)}
          onConfirm={() => api.POST("/api/v1/runs/{id}/cancel", { ...path, body: {} })}
        >
          <p>
            {live.busy === 0
              ? "Nothing is under way."
              : `${live.busy} ${live.busy === 1 ? "attempt is" : "attempts are"} ended at once.`}{" "}
            What waits does not run. What was done stays recorded.
          </p>
        </Confirm>
      )}
    </>
  );
}

interface RetryProps extends Pick<RunBarProps, "began" | "current"> {
  live: LiveRun;
}

/** A run keeps its version: whoever has changed the workflow since is told before it is retried. */
function Retry({ live, began, current }: RetryProps) {
  const [asking, setAsking] = useState(false);
  const tell = useToasts();
  const may = useMay();
  const { view } = useBench();
  if (live.state !== "failed" || !may("runs:retry", view.namespace)) return null;
  const retry = () => api.POST("/api/v1/runs/{id}/retry", { params: { path: { id: live.id } } });
  return (
    <>
      <Button
        icon={RotateCcw}
        title="Tries the failed tasks of this run again, with the workflow as it was when the run began"
        onClick={() =>
          began === undefined || began === current
            ? void retry().catch(tell.failed)
            : setAsking(true)
        }
      >
        Retry failed
      </Button>
      {asking && (
        <Confirm
          title={`Retry version ${began}?`}
          action={`Retry ${began}`}
          onClose={() => setAsking(false)}
          onConfirm={retry}
        >
          <p>
            This run keeps the version that it began with, {began}: what was changed since is not in
            it. To try what is shown here, use Run.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Status({ live, granted }: { live: LiveRun; granted: number | undefined }) {
  const { view } = useBench();
  const most = granted ?? Math.max(1, live.busy);
  const settled = view.tasks.filter(({ name }) => isSettled(live.tasks.get(name)?.state));
  return (
    <span className={styles.status}>
      <StateBadge state={live.state} />
      <span className={styles.use}>
        {settled.length}/{view.tasks.length} done
      </span>
      <span className={styles.use} title={`${live.busy} of ${most} workers are busy`}>
        <meter
          min={0}
          max={most}
          value={Math.min(live.busy, most)}
          aria-label="Workers that are busy"
        />
        <span>
          {live.busy}/{most} busy
        </span>
      </span>
    </span>
  );
}

/** The first task that failed, and the way to it: its properties say why. */
function Culprit({ live }: { live: LiveRun }) {
  const { view, select } = useBench();
  const [, setQuery] = useSearchParams();
  const failed = view.tasks.find(({ name }) => live.tasks.get(name)?.state === "failed");
  if (!failed) return null;
  const show = () => {
    select([failed.id], true);
    setQuery(withProperties, { replace: true });
  };
  return (
    <button type="button" className={styles.culprit} onClick={show}>
      Why {failed.name} failed
    </button>
  );
}

/** The address that shows the properties, however much room there is. */
function withProperties(before: URLSearchParams): URLSearchParams {
  const after = new URLSearchParams(before);
  after.set("part", "properties");
  return after;
}

/** `MAX_WORKERS` of the workflow goes before what a run is given: where it is set, it is what is changed. */
function Workers(props: Pick<RunBarProps, "workers" | "onWorkers">) {
  const { view, change, sound } = useBench();
  const own = mapOf(view.workflow.env).MAX_WORKERS;
  const shown = own ?? props.workers;
  const field = useTyped(shown === undefined ? "" : String(shown), (text) => {
    const count = text === "" ? undefined : Number(text);
    if (count !== undefined && !(Number.isInteger(count) && count > 0)) return;
    if (count === shown) return;
    if (own !== undefined && count !== undefined)
      change(set(["env", "MAX_WORKERS"], count), "workers");
    else if (own === undefined) props.onWorkers(count);
  });
  return (
    <label
      className={styles.workers}
      title={
        own === undefined
          ? "The most tasks of a run at once; as many as the machine has cores if empty"
          : "MAX_WORKERS of this workflow: the most tasks of a run at once"
      }
    >
      Parallel workers
      <input
        type="number"
        min={1}
        placeholder="auto"
        disabled={!sound}
        value={field.value}
        onChange={(event) => field.type(event.target.value)}
        onBlur={field.leave}
      />
    </label>
  );
}
