import { useQuery } from "@tanstack/react-query";
import { Play, Plus, X } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, data, type Schema } from "../../api/client";
import { randomHex, readValue } from "../../api/values";
import { Button, IconButton } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { TextArea, TextField } from "../../kit/field";
import kit from "../../kit/kit.module.css";
import { Loading } from "../../kit/states";
import { useToasts } from "../../kit/toast";
import styles from "./start.module.css";

interface StartRunProps {
  workflow: Pick<Schema<"WorkflowView">, "namespace" | "name" | "version">;
  onClose: () => void;
}

/** Asks for what a run needs, and starts it. */
export function StartRun({ workflow, onClose }: StartRunProps) {
  const { namespace, name, version } = workflow;
  const navigate = useNavigate();
  const toasts = useToasts();
  const known = useQuery({
    queryKey: ["workflow", namespace, name, version],
    queryFn: () =>
      data(
        api.GET("/api/v1/workflows/{namespace}/{name}/{version}", {
          params: { path: { namespace, name, version } },
        }),
      ),
  });
  const [given, setGiven] = useState<Record<string, string>>({});
  const [more, setMore] = useState<{ name: string; value: string }[]>([]);
  const [reason, setReason] = useState("");
  // An answer that was lost on its way is no reason to start a second run.
  const [key] = useState(randomHex);
  const start = async () => {
    const pairs = [
      ...Object.entries(given),
      ...more.map((it) => [it.name.trim(), it.value] as const),
    ];
    const variables = Object.fromEntries(
      pairs.filter(([key]) => key !== "").map(([key, value]) => [key, readValue(value)]),
    );
    const body = { namespace, workflow: name, version, variables, ...(reason && { reason }) };
    const { id } = await data(
      api.POST("/api/v1/runs", {
        params: { header: { "Idempotency-Key": key } },
        body,
      }),
    );
    toasts.done(`A run of ${name} was started`);
    navigate(`/runs/${id}`);
  };
  const change = (at: number, part: Partial<{ name: string; value: string }>) =>
    setMore(more.map((it, other) => (other === at ? { ...it, ...part } : it)));
  return (
    <Confirm title={`Run ${name} ${version}`} action="Run" onConfirm={start} onClose={onClose}>
      {known.isPending && <Loading what="what it needs" />}
      {known.data?.needs?.map((need) => (
        <TextArea
          key={need.name}
          label={need.name}
          required
          rows={1}
          hint={`Needed by ${need.tasks.join(", ")}`}
          value={given[need.name] ?? ""}
          onChange={(event) => setGiven({ ...given, [need.name]: event.target.value })}
        />
      ))}
      {known.data && (known.data.needs ?? []).length === 0 && (
        <p className={kit.hint}>It needs no variables. Those below come before its own.</p>
      )}
      {more.map((it, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name before they are named
        <div key={at} className={styles.pair}>
          <TextField
            label="Variable"
            pattern="[A-Za-z_][A-Za-z0-9_]*"
            title="Letters, digits and underscores"
            required
            value={it.name}
            onChange={(event) => change(at, { name: event.target.value })}
          />
          <TextField
            label="Value"
            value={it.value}
            onChange={(event) => change(at, { value: event.target.value })}
          />
          <IconButton
            icon={X}
            label="Leave this variable out"
            onClick={() => setMore(more.filter((_, other) => other !== at))}
          />
        </div>
      ))}
      <div>
        <Button
          kind="quiet"
          icon={Plus}
          onClick={() => setMore([...more, { name: "", value: "" }])}
        >
          Add a variable
        </Button>
      </div>
      <TextField
        label="Reason"
        hint="Kept with the run, for those who look at it later"
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
    </Confirm>
  );
}

/** A button that asks for what a run needs. */
export function StartButton({ workflow }: { workflow: StartRunProps["workflow"] }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="primary" icon={Play} onClick={() => setOpen(true)}>
        Run
      </Button>
      {open && <StartRun workflow={workflow} onClose={() => setOpen(false)} />}
    </>
  );
}
