import { useQueryClient } from "@tanstack/react-query";
import { KeyRound, Pause, Pencil, StepForward, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../../api/client";
import { randomHex } from "../../api/values";
import type { Guard } from "../../api/version";
import { IconButton } from "../../kit/button";
import { Guarded, Reading } from "../../kit/change";
import { Confirm } from "../../kit/dialog";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { TriggerForm } from "./form";
import { askedOf, hides, readTrigger, rotated, type Trigger } from "./spec";

type Act = "change" | "pause" | "rotate" | "delete";

interface ActionsProps {
  of: Trigger;
  onSecret: (name: string, secret: string) => void;
}

/** What can be done with a trigger. */
export function Actions({ of, onSecret }: ActionsProps) {
  const may = useMay();
  const [act, setAct] = useState<Act>();
  if (!may("triggers:write", of.namespace)) return null;
  const makes = may("runs:start", of.namespace);
  const close = () => setAct(undefined);
  return (
    <>
      <IconButton
        icon={of.paused ? StepForward : Pause}
        label={of.paused ? `Let ${of.name} go on` : `Pause ${of.name}`}
        onClick={() => setAct("pause")}
      />
      {makes && of.kind === "request" && !hides(of) && (
        <IconButton
          icon={KeyRound}
          label={`Give ${of.name} another secret`}
          onClick={() => setAct("rotate")}
        />
      )}
      {makes && (
        <IconButton icon={Pencil} label={`Change ${of.name}`} onClick={() => setAct("change")} />
      )}
      <IconButton icon={Trash2} label={`Delete ${of.name}`} onClick={() => setAct("delete")} />
      {act === "change" && (
        <Reading title={`Change ${of.name}`} read={() => readTrigger(of.name)} onClose={close}>
          {(before) => <TriggerForm before={before} onSecret={onSecret} onClose={close} />}
        </Reading>
      )}
      {act === "pause" && <AskPause of={of} onClose={close} />}
      {act === "rotate" && <AskRotate of={of} onSecret={onSecret} onClose={close} />}
      {act === "delete" && <AskDelete of={of} onClose={close} />}
    </>
  );
}

interface AskProps {
  of: Trigger;
  onClose: () => void;
}

function AskPause({ of, onClose }: AskProps) {
  const done = useDone();
  // Once it is done the trigger is another one, and the question is still there for a moment.
  const [{ name, paused }] = useState(of);
  const params = { path: { name } };
  const act = async () => {
    if (paused) await api.POST("/api/v1/triggers/{name}/resume", { params });
    else await api.POST("/api/v1/triggers/{name}/pause", { params });
    await done(`The trigger ${name} ${paused ? "goes on" : "is paused"}`);
  };
  return (
    <Confirm
      title={paused ? `Let ${name} go on?` : `Pause ${name}?`}
      action={paused ? "Go on" : "Pause"}
      onConfirm={act}
      onClose={onClose}
    >
      <p>
        {paused
          ? "What comes in starts runs again."
          : "It starts nothing until it goes on. Runs under way are left alone."}
      </p>
    </Confirm>
  );
}

function AskRotate({ of: { name }, onSecret, onClose }: ActionsProps & AskProps) {
  const done = useDone();
  const write = async (header: Guard, it: Trigger | undefined) => {
    if (it?.kind !== "request") return;
    const secret = randomHex(24);
    await api.PUT("/api/v1/triggers/{name}", {
      params: { path: { name }, header },
      body: rotated(it, secret),
    });
    await done(`The trigger ${name} has another secret`);
    onSecret(name, secret);
  };
  return (
    <Guarded
      title={`Give ${name} another secret?`}
      action="Make another secret"
      danger
      read={() => readTrigger(name)}
      part={askedOf}
      write={write}
      onClose={onClose}
    >
      <p>
        The old secret ends at once: requests that show it are refused until those who send them
        know the new one. It is shown once. The trigger's runs start with your rights from now on.
      </p>
    </Guarded>
  );
}

function AskDelete({ of: { name }, onClose }: AskProps) {
  const done = useDone();
  const write = async (header: Guard) => {
    await api.DELETE("/api/v1/triggers/{name}", { params: { path: { name }, header } });
    await done(`The trigger ${name} is deleted`);
  };
  return (
    <Guarded
      title={`Delete ${name}?`}
      action="Delete"
      danger
      read={() => readTrigger(name)}
      part={askedOf}
      write={write}
      onClose={onClose}
    >
      <p>It starts nothing any more, and is gone for good. Its runs stay.</p>
    </Guarded>
  );
}

function useDone() {
  const client = useQueryClient();
  const toasts = useToasts();
  return async (text: string) => {
    toasts.done(text);
    await client.invalidateQueries({ queryKey: ["triggers"] });
  };
}
