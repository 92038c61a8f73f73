import { Ban, CirclePause, CirclePlay, History, Repeat2, RotateCcw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api } from "../../../api/client";
import { Button } from "../../../kit/button";
import { Confirm } from "../../../kit/dialog";
import { TextField } from "../../../kit/field";
import { Banner } from "../../../kit/states";
import { useToasts } from "../../../kit/toast";
import { useMay } from "../../../shell/me";
import { useWatched } from "../use-live";
import { counted } from "../words";
import { type RunAct, runActs } from "./acts";
import styles from "./head.module.css";
import { Rerun } from "./rerun";
import { useVersions, type Version } from "./use-versions";

const LOOKS = {
  pause: { icon: CirclePause, label: "Pause" },
  resume: { icon: CirclePlay, label: "Resume" },
  cancel: { icon: Ban, label: "Cancel" },
  retry: { icon: RotateCcw, label: "Retry failed" },
  rerun: { icon: Repeat2, label: "Run again…" },
} as const;

interface Props {
  /** The act that is being asked about. */
  open: RunAct | undefined;
  onOpen: (act: RunAct | undefined) => void;
}

/** What the run's state and the caller's rights let one do with it. */
export function RunActions({ open, onOpen }: Props) {
  const { detail, live } = useWatched();
  const may = useMay();
  const { newer } = useVersions();
  const acts = runActs(live.model.head.state, detail.external != null, (permission) =>
    may(permission, detail.namespace),
  );
  const close = () => onOpen(undefined);
  // Where a new version waits to be run, a retry of the old one is not what leads on.
  const first = newer ? undefined : "retry";
  return (
    <div className={styles.actions}>
      {acts.map((act) => (
        <Button
          key={act}
          icon={LOOKS[act].icon}
          kind={act === "cancel" ? "danger" : act === first ? "primary" : "plain"}
          onClick={() => onOpen(act)}
        >
          {LOOKS[act].label}
        </Button>
      ))}
      {open === "rerun" && <Rerun onClose={close} />}
      {open !== undefined && open !== "rerun" && (
        <Act act={open} onClose={close}>
          {open === "retry" && <KeepsVersion newer={newer} onRerun={() => onOpen("rerun")} />}
        </Act>
      )}
    </div>
  );
}

/** A retry takes up nothing that was mended in the workflow since. */
function KeepsVersion(props: { newer: Version | undefined; onRerun: () => void }) {
  const { detail } = useWatched();
  const { newer, onRerun } = props;
  if (!newer) {
    return (
      <p>
        It stays with version {detail.version}, as it was when the run began: a workflow that is
        mended is run again instead.
      </p>
    );
  }
  return (
    <Banner tone="paused" icon={History}>
      <div className={styles.instead}>
        <p>
          It stays with version {detail.version}, as it was when the run began. Version{" "}
          {newer.version} was saved since.
        </p>
        <Button icon={Repeat2} onClick={onRerun}>
          Run {newer.version} instead…
        </Button>
      </div>
    </Banner>
  );
}

interface ActProps {
  act: Exclude<RunAct, "rerun">;
  onClose: () => void;
  children: ReactNode;
}

function Act({ act, onClose, children }: ActProps) {
  const { detail, live } = useWatched();
  const tell = useToasts();
  const [reason, setReason] = useState("");
  const confirm = async () => {
    const options = { params: { path: { id: detail.id } } };
    if (act === "pause") await api.POST("/api/v1/runs/{id}/pause", options);
    if (act === "resume") await api.POST("/api/v1/runs/{id}/resume", options);
    if (act === "cancel")
      await api.POST("/api/v1/runs/{id}/cancel", { ...options, body: { reason } });
    if (act === "retry") await api.POST("/api/v1/runs/{id}/retry", options);
    tell.done(DONE[act]);
    await live.reload();
  };
  const { title, action, says } = ABOUT[act](live.model.head.counts);
  return (
    <Confirm
      title={title}
      action={action}
      danger={act === "cancel"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{says}</p>
      {children}
      {act === "cancel" && (
        <TextField
          label="Reason"
          hint="It is recorded with the cancellation."
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      )}
    </Confirm>
  );
}

const DONE = {
  pause: "The run pauses: nothing new starts.",
  resume: "The run goes on.",
  cancel: "The run is being cancelled.",
  retry: "The failed tasks are tried again.",
};

type Counts = Record<string, number>;
interface Says {
  title: string;
  action: string;
  says: string;
}

const ABOUT: Record<Exclude<RunAct, "rerun">, (counts: Counts) => Says> = {
  pause: (counts) => ({
    title: "Pause this run?",
    action: "Pause",
    says: `Nothing new starts. What runs now (${counted(counts.running ?? 0, "task")}) goes on to its end. Resume goes on from there.`,
  }),
  resume: (counts) => ({
    title: "Resume this run?",
    action: "Resume",
    says: `Tasks start again as they become ready; ${counts.ready ?? 0} are ready now.`,
  }),
  cancel: (counts) => ({
    title: "Cancel this run?",
    action: "Cancel the run",
    says: `What runs now (${counted(counts.running ?? 0, "task")}) is stopped, and ${counted(open(counts), "other task")} will not start. This is for good: a cancelled run can be run again, but not gone on with.`,
  }),
  retry: (counts) => ({
    title: "Retry what failed?",
    action: "Retry",
    says: `What failed or was cancelled (${counted((counts.failed ?? 0) + (counts.cancelled ?? 0), "task")}) gets new attempts, what was skipped because of it (${counted(counts.skipped ?? 0, "task")} at most) waits for it again, and what succeeded stays as it is.`,
  }),
};

function open(counts: Counts): number {
  return (counts.waiting ?? 0) + (counts.ready ?? 0) + (counts.backing_off ?? 0);
}
