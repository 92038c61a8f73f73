import { useQueryClient } from "@tanstack/react-query";
import { Pause, Pencil, Play, StepForward, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data } from "../../api/client";
import { IconButton } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { ScheduleForm } from "./form";
import type { Schedule } from "./spec";

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
      {act === "change" && <ScheduleForm before={of} onClose={close} />}
      {act !== undefined && act !== "change" && <Ask of={of} act={act} onClose={close} />}
    </>
  );
}

function Ask({ of, act, onClose }: { of: Schedule; act: Act; onClose: () => void }) {
  const client = useQueryClient();
  const toasts = useToasts();
  const { title, action, says, done, call } = wordsOf(of, act);
  const confirm = async () => {
    await call();
    toasts.done(done);
    await client.invalidateQueries({ queryKey: ["schedules"] });
  };
  return (
    <Confirm
      title={title}
      action={action}
      danger={act === "delete"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{says}</p>
    </Confirm>
  );
}

function wordsOf({ name, paused, run }: Schedule, act: Act) {
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
  if (act === "delete") {
    return {
      title: `Delete ${name}?`,
      action: "Delete",
      says: "It starts nothing any more, and is gone for good. Its runs stay.",
      done: `The schedule ${name} is deleted`,
      call: () => api.DELETE("/api/v1/schedules/{name}", { params }),
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
