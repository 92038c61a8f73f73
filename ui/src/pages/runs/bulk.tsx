import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Ban, RotateCcw, X } from "lucide-react";
import { useState } from "react";
import { api, data, type Schema } from "../../api/client";
import { Button } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { TextField } from "../../kit/field";
import { Failure, Loading } from "../../kit/states";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { counted } from "../run/words";
import { actsOn, type BulkAct, canAct, type Filter, type RunView } from "./filter";
import { inTurns } from "./in-turns";
import styles from "./runs.module.css";

interface Props {
  filter: Filter;
  /** Runs that were chosen by hand. */
  runs: RunView[];
  onClear: () => void;
}

const LOOKS = {
  cancel: { icon: Ban, label: "Cancel", permission: "runs:cancel", word: "cancelled" },
  retry: { icon: RotateCcw, label: "Retry", permission: "runs:retry", word: "retried" },
} as const;

/** What the caller may do with several runs at once; to choose some is of use for that alone. */
export function useBulkActs(): BulkAct[] {
  const may = useMay();
  return (["retry", "cancel"] as const).filter((act) => may(LOOKS[act].permission));
}

/** What can be done with several runs at once. */
export function BulkBar({ filter, runs, onClear }: Props) {
  const acts = useBulkActs();
  const [open, setOpen] = useState<{ act: BulkAct; all: boolean }>();
  if (acts.length === 0) return null;
  const close = () => setOpen(undefined);
  return (
    <div className={styles.bulk}>
      {runs.length > 0 ? (
        <>
          <strong>{counted(runs.length, "run")} chosen</strong>
          {acts.map((act) => {
            const fit = runs.filter((run) => canAct(act, run)).length;
            return (
              <Button
                key={act}
                icon={LOOKS[act].icon}
                disabled={fit === 0}
                onClick={() => setOpen({ act, all: false })}
              >
                {LOOKS[act].label} {fit}
              </Button>
            );
          })}
          <Button kind="quiet" icon={X} onClick={onClear}>
            Choose none
          </Button>
        </>
      ) : (
        acts.map((act) => (
          <Button
            key={act}
            icon={LOOKS[act].icon}
            disabled={actsOn(act, filter) === undefined}
            onClick={() => setOpen({ act, all: true })}
          >
            {act === "retry" ? "Retry all failed…" : "Cancel all open…"}
          </Button>
        ))
      )}
      {open && !open.all && (
        <OfChosen act={open.act} runs={runs} onClose={close} onDone={onClear} />
      )}
      {open?.all && <OfFilter act={open.act} filter={filter} onClose={close} />}
    </div>
  );
}

interface ActProps {
  act: BulkAct;
  onClose: () => void;
}

const MEANS = {
  cancel: "What they run is stopped and nothing else of them starts. This is for good.",
  retry: "Their failed tasks get new attempts, and what was skipped for these waits again.",
};

function OfChosen({
  act,
  runs,
  onClose,
  onDone,
}: ActProps & { runs: RunView[]; onDone: () => void }) {
  const fit = runs.filter((run) => canAct(act, run));
  const left = runs.length - fit.length;
  const tell = useToasts();
  const [reason, setReason] = useState("");
  const confirm = async () => {
    const failures = await inTurns(fit, ({ id }) => {
      const params = { path: { id } };
      return act === "cancel"
        ? api.POST("/api/v1/runs/{id}/cancel", { params, body: { reason } })
        : api.POST("/api/v1/runs/{id}/retry", { params });
    });
    const done = fit.length - failures.length;
    if (failures[0]) throw new Error(`${done} of ${fit.length} are done: ${failures[0].message}`);
    tell.done(`${counted(done, "run")} ${LOOKS[act].word}.`);
    onDone();
  };
  return (
    <Confirm
      title={`${LOOKS[act].label} ${counted(fit.length, "run")}?`}
      action={`${LOOKS[act].label} ${counted(fit.length, "run")}`}
      danger={act === "cancel"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{MEANS[act]}</p>
      {left > 0 && (
        <p>
          {counted(left, "chosen run")} cannot be {LOOKS[act].word}, and{" "}
          {left === 1 ? "stays as it is" : "stay as they are"}.
        </p>
      )}
      {act === "cancel" && <Reason value={reason} onChange={setReason} />}
    </Confirm>
  );
}

function OfFilter({ act, filter, onClose }: ActProps & { filter: Filter }) {
  const client = useQueryClient();
  const tell = useToasts();
  const [reason, setReason] = useState("");
  // The API fills in what is left out.
  const selector = actsOn(act, filter) as Schema<"RunSelector">;
  const call = (dry_run: boolean) => {
    const body = { filter: selector, dry_run, ...(reason !== "" && { reason }) };
    return data(
      act === "cancel"
        ? api.POST("/api/v1/runs/batch/cancel", { body })
        : api.POST("/api/v1/runs/batch/retry", { body }),
    );
  };
  const dry = useQuery({
    queryKey: ["runs", "dry", act, selector],
    queryFn: () => call(true),
    staleTime: 0,
    gcTime: 0,
  });
  const confirm = async () => {
    let [done, refused] = [0, 0];
    for (;;) {
      const answer = await call(false);
      const bad = answer.items.filter((item) => item.problem).length;
      done += answer.items.length - bad;
      refused += bad;
      // What is refused matches again: without any progress there is no end.
      if (!answer.more || bad === answer.items.length) break;
    }
    tell.done(
      `${counted(done, "run")} ${LOOKS[act].word}${refused > 0 ? `, ${refused} refused` : ""}.`,
    );
    await client.invalidateQueries({ queryKey: ["runs"] });
  };
  const count = dry.data?.items.length ?? 0;
  if (!dry.data || count === 0) {
    return (
      <Confirm
        title={`${LOOKS[act].label} all that match?`}
        action="Close"
        onConfirm={async () => undefined}
        onClose={onClose}
      >
        {dry.isLoading && <Loading what="which runs these are" />}
        {dry.error && <Failure error={dry.error} retry={() => void dry.refetch()} />}
        {dry.data && <p>No run of these can be {LOOKS[act].word} now.</p>}
      </Confirm>
    );
  }
  const many = dry.data.more
    ? `more than ${count.toLocaleString("en")}`
    : count.toLocaleString("en");
  return (
    <Confirm
      title={`${LOOKS[act].label} ${many} ${count === 1 ? "run" : "runs"}?`}
      action={`${LOOKS[act].label} them`}
      danger={act === "cancel"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        {dry.data.more ? "They are" : count === 1 ? "It is" : "These are"} all that the filters of
        this page choose and that can be {LOOKS[act].word}. {MEANS[act]}
      </p>
      {act === "cancel" && <Reason value={reason} onChange={setReason} />}
    </Confirm>
  );
}

function Reason({ value, onChange }: { value: string; onChange: (reason: string) => void }) {
  return (
    <TextField
      label="Reason"
      hint="It is recorded with each of them."
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
