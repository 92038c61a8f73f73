import { useQueryClient } from "@tanstack/react-query";
import { KeyRound, Pause, Pencil, StepForward, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../../api/client";
import { randomHex } from "../../api/values";
import { IconButton } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { TriggerForm } from "./form";
import { hides, rotated, type Trigger } from "./spec";

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
      {act === "change" && <TriggerForm before={of} onSecret={onSecret} onClose={close} />}
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

function AskPause({ of: { name, paused }, onClose }: AskProps) {
  const done = useDone();
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

function AskRotate({ of, onSecret, onClose }: ActionsProps & AskProps) {
  const done = useDone();
  const act = async () => {
    if (of.kind !== "request") return;
    const secret = randomHex(24);
    const params = { path: { name: of.name } };
    await api.PUT("/api/v1/triggers/{name}", { params, body: rotated(of, secret) });
    await done(`The trigger ${of.name} has another secret`);
    onSecret(of.name, secret);
  };
  return (
    <Confirm
      title={`Give ${of.name} another secret?`}
      action="Make another secret"
      danger
      onConfirm={act}
      onClose={onClose}
    >
      <p>
        The old secret ends at once: requests that show it are refused until those who send them
        know the new one. It is shown once. The trigger's runs start with your rights from now on.
      </p>
    </Confirm>
  );
}

function AskDelete({ of: { name }, onClose }: AskProps) {
  const done = useDone();
  const act = async () => {
    await api.DELETE("/api/v1/triggers/{name}", { params: { path: { name } } });
    await done(`The trigger ${name} is deleted`);
  };
  return (
    <Confirm title={`Delete ${name}?`} action="Delete" danger onConfirm={act} onClose={onClose}>
      <p>It starts nothing any more, and is gone for good. Its runs stay.</p>
    </Confirm>
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
