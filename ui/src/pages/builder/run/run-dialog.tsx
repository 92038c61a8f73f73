import { type FormEvent, useId, useState } from "react";
import type { Schema } from "../../../api/client";
import { Button } from "../../../kit/button";
import { Dialog } from "../../../kit/dialog";
import { TextArea, TextField } from "../../../kit/field";
import { Failure } from "../../../kit/states";
import type { Json, JsonMap } from "../document/json";
import { meant } from "../panel/fields";
import styles from "./run.module.css";

/** Asks for what a run has to be given. */
export function RunDialog(props: {
  workflow: Schema<"WorkflowView">;
  onStart: (variables: JsonMap, reason: string) => Promise<void>;
  onClose: () => void;
}) {
  const { workflow, onStart, onClose } = props;
  const needs = workflow.needs ?? [];
  const [values, setValues] = useState<Record<string, string>>({});
  const [reason, setReason] = useState("");
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const given = Object.entries(values).filter(([, text]) => text !== "");
    try {
      await onStart(
        Object.fromEntries(given.map(([name, text]): [string, Json] => [name, meant(text)])),
        reason,
      );
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Run ${workflow.name} ${workflow.version}`}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button type="submit" form={id} kind="primary" disabled={busy}>
            Run
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className={styles.form}>
        <p>
          The workflow takes these from whoever runs it. JSON is read as such, all else is text.
        </p>
        {needs.map(({ name, tasks }) => (
          <TextField
            key={name}
            label={name}
            hint={tasks.length > 0 ? `For ${tasks.join(", ")}.` : undefined}
            value={values[name] ?? ""}
            onChange={(event) => setValues({ ...values, [name]: event.target.value })}
          />
        ))}
        <TextArea
          label="Reason"
          hint="Kept with the run, if you say one."
          rows={2}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </form>
      {error && <Failure error={error} />}
    </Dialog>
  );
}
