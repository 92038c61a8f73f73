import { useQueryClient } from "@tanstack/react-query";
import { Pause, Pencil, Play, StepForward, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data } from "../../api/client";
import type { Guard } from "../../api/version";
import { IconButton } from "../../kit/button";
import { Guarded, Reading } from "../../kit/change";
import { Confirm } from "../../kit/dialog";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { ScheduleForm } from "./form";
import { askedOf, readSchedule, type Schedule } from "./spec";

type Act = "trigger" | "change" | "pause" | "delete";

/** What can be done with a schedule. */
export function Actions({ of }: { of: Schedule }) {
  const may = useMay();
  const [act, setAct] = useState<Act>();
  const write = may("schedules:write", of.namespace);
  const close = () => setAct(undefined);
  return (
    <>
      {may("runs:start", of.namespace) && (
        <IconButton icon={Play} label={`Run ${of.name} now`} onClick={() => setAct("trigger")} />
      )}
      {write && (
        <>
          <IconButton
            icon={of.paused ? StepForward : Pause}
            label={of.paused ? `Let ${of.name} go on` : `Pause ${of.name}`}
            onClick={() => setAct("pause")}
          />
          {may("runs:start", of.namespace) && (
            <IconButton
              icon={Pencil}
              label={`Change ${of.name}`}
              onClick={() => setAct("change")}
            />
          )}
          <IconButton icon={Trash2} label={`Delete ${of.name}`} onClick={() => setAct("delete")} />
        </>
      )}
      {act === "change" && (
        <Reading title={`Change ${of.name}`} read={() => readSchedule(of.name)} onClose={close}>
          {(before) => <ScheduleForm before={before} onClose={close} />}
        </Reading>
      )}
      {act === "delete" && <Delete name={of.name} onClose={close} />}
      {(act === "trigger" || act === "pause") && <Ask of={of} act={act} onClose={close} />}
    </>
  );
}

function Delete({ name, onClose }: { name: string; onClose: () => void }) {
  const done = useDone();
  const write = async (header: Guard) => {
    await api.DELETE("/api/v1/schedules/{name}", { params: { path: { name }, header } });
    await done(`The schedule ${name} is deleted`);
  };
  return (
    <Guarded
      title={`Delete ${name}?`}
      action="Delete"
      danger
      read={() => readSchedule(name)}
      part={askedOf}
      write={write}
      onClose={onClose}
    >
      <p>It starts nothing any more, and is gone for good. Its runs stay.</p>
    </Guarded>
  );
}

function Ask(props: { of: Schedule; act: "trigger" | "pause"; onClose: () => void }) {
  const { of, act, onClose } = props;
  const tell = useDone();
  // Once it is done the schedule is another one, and the question is still there for a moment.
  const [{ title, action, says, done, call }] = useState(() => wordsOf(of, act));
  const confirm = async () => {
    await call();
    await tell(done);
  };
  return (
    <Confirm title={title} action={action} onConfirm={confirm} onClose={onClose}>
      <p>{says}</p>
    </Confirm>
  );
}

function useDone() {
  const client = useQueryClient();
  const toasts = useToasts();
  return async (text: string) => {
    toasts.done(text);
    await client.invalidateQueries({ queryKey: ["schedules"] });
  };
}

function wordsOf({ name, paused, run }: Schedule, act: "trigger" | "pause") {
  const params = { path: { name } };
  if (act === "trigger") {
    return {
      title: `Run ${name} now?`,
      action: "Run",
      says: `A run of ${run.workflow} starts at once, as at a tick. The ticks to come stay as they are.`,
      done: `A run of ${run.workflow} was started`,
      call: () => data(api.POST("/api/v1/schedules/{name}/trigger", { params })),
    };
  }
  if (paused) {
    return {
      title: `Let ${name} go on?`,
      action: "Go on",
      says: "It ticks again from now on. What it would have done while it was paused is not made up for.",
      done: `The schedule ${name} goes on`,
      call: () => data(api.POST("/api/v1/schedules/{name}/resume", { params })),
    };
  }
  return {
    title: `Pause ${name}?`,
    action: "Pause",
    says: "It starts nothing until it goes on. Its runs that are under way are left alone.",
    done: `The schedule ${name} is paused`,
    call: () => data(api.POST("/api/v1/schedules/{name}/pause", { params })),
  };
}
