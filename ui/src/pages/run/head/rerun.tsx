import { useState } from "react";
import { useNavigate } from "react-router";
import { api, data } from "../../../api/client";
import { Confirm } from "../../../kit/dialog";
import { TextArea, TextField } from "../../../kit/field";
import { useToasts } from "../../../kit/toast";
import { useWatched } from "../use-live";
import { readObject, readValue, shownValue } from "../values";
import styles from "./head.module.css";

/** Runs the workflow again, with other values where they are changed. */
export function Rerun({ onClose }: { onClose: () => void }) {
  const { detail, submission } = useWatched();
  const navigate = useNavigate();
  const tell = useToasts();
  const given = submission.variables;
  const [texts, setTexts] = useState(() =>
    Object.fromEntries(
      given.map(({ name, value, secret }) => [name, secret ? "" : shownValue(value)]),
    ),
  );
  const [version, setVersion] = useState(detail.version);
  const [more, setMore] = useState("");
  const [reason, setReason] = useState("");
  const confirm = async () => {
    const variables: Record<string, unknown> = { ...readObject(more) };
    for (const { name, value, secret } of given) {
      const text = texts[name] ?? "";
      const changed = secret ? text !== "" : text !== shownValue(value);
      if (changed) variables[name] = readValue(name, text, value);
    }
    const started = await data(
      api.POST("/api/v1/runs/{id}/rerun", {
        params: { path: { id: detail.id } },
        body: {
          variables,
          ...(version !== detail.version && { version }),
          ...(reason !== "" && { reason }),
        },
      }),
    );
    tell.done("The run began again as a new one.");
    void navigate(`/runs/${started.id}`);
  };
  return (
    <Confirm title="Run it again" action="Start a new run" onConfirm={confirm} onClose={onClose}>
      <p>
        This starts a new run of {detail.workflow} with the same variables, tags and annotations,
        besides what you change here. The run that you see stays as it is.
      </p>
      <div className={styles.fields}>
        {given.map(({ name, value, secret }) => (
          <TextField
            key={name}
            label={name}
            type={secret ? "password" : "text"}
            autoComplete="off"
            hint={
              secret
                ? "Secret: give it again, or leave it empty if the workflow sets it itself."
                : typeof value === "string"
                  ? undefined
                  : "JSON"
            }
            value={texts[name] ?? ""}
            onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
          />
        ))}
        <TextArea
          label="Further variables"
          hint='A JSON object, such as {"DAY": "2026-11-20"}'
          value={more}
          onChange={(event) => setMore(event.target.value)}
        />
        <TextField
          label="Version"
          value={version}
          onChange={(event) => setVersion(event.target.value)}
        />
        <TextField
          label="Reason"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
    </Confirm>
  );
}
