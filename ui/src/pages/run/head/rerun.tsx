import { useState } from "react";
import { useNavigate } from "react-router";
import { api, data } from "../../../api/client";
import { Confirm } from "../../../kit/dialog";
import { Select, TextArea, TextField } from "../../../kit/field";
import { useToasts } from "../../../kit/toast";
import { useWatched } from "../use-live";
import { readObject, readValue, shownValue } from "../values";
import styles from "./head.module.css";
import { useVersions, type Version } from "./use-versions";

/** Runs the workflow again, with other values where they are changed. */
export function Rerun({ onClose }: { onClose: () => void }) {
  const { detail, submission } = useWatched();
  const { all, newer } = useVersions();
  const navigate = useNavigate();
  const tell = useToasts();
  const given = submission.variables;
  const [texts, setTexts] = useState<Record<string, string>>(() =>
    Object.fromEntries(
      given.map(({ name, value, secret }) => [name, secret ? "" : shownValue(value)]),
    ),
  );
  const [version, setVersion] = useState(newer?.version ?? detail.version);
  const [more, setMore] = useState("");
  const [reason, setReason] = useState("");
  const needs = (all.find((one) => one.version === version)?.needs ?? []).filter(
    ({ name }) => !given.some((one) => one.name === name),
  );
  const confirm = async () => {
    const variables: Record<string, unknown> = { ...readObject(more) };
    for (const { name, value, secret } of given) {
      const text = texts[name] ?? "";
      const changed = secret ? text !== "" : text !== shownValue(value);
      if (changed) variables[name] = readValue(name, text, value);
    }
    for (const { name } of needs) if (texts[name]) variables[name] = texts[name];
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
  const type = (name: string, text: string) => setTexts({ ...texts, [name]: text });
  return (
    <Confirm title="Run it again" action="Start a new run" onConfirm={confirm} onClose={onClose}>
      <p>
        This starts a new run of {detail.workflow} from its beginning, with the same variables, tags
        and annotations, besides what you change here. The run that you see stays as it is.
      </p>
      <div className={styles.fields}>
        <VersionField all={all} value={version} onChange={setVersion} />
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
            onChange={(event) => type(name, event.target.value)}
          />
        ))}
        {needs.map(({ name, tasks }) => (
          <TextField
            key={name}
            label={name}
            hint={`This version needs it for ${tasks.join(", ")}.`}
            value={texts[name] ?? ""}
            onChange={(event) => type(name, event.target.value)}
          />
        ))}
        <TextArea
          label="Further variables"
          hint='A JSON object, such as {"DAY": "2026-11-20"}'
          value={more}
          onChange={(event) => setMore(event.target.value)}
        />
        <TextField
          label="Reason"
          hint="It is kept with the new run."
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
    </Confirm>
  );
}

interface VersionProps {
  all: Version[];
  value: string;
  onChange: (version: string) => void;
}

/** A choice where versions are registered; a run of a file has its own alone. */
function VersionField({ all, value, onChange }: VersionProps) {
  const { detail } = useWatched();
  const open = all.filter(({ version, disabled }) => !disabled || version === detail.version);
  if (open.length === 0) return null;
  const remark = (version: string, at: number) => {
    if (version === detail.version) return " (as this run)";
    return at === 0 ? " (the newest)" : "";
  };
  return (
    <Select
      label="Version"
      hint={
        value === detail.version
          ? undefined
          : `Another version than that of this run, which was ${detail.version}.`
      }
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {open.map(({ version }, at) => (
        <option key={version} value={version}>
          {version}
          {remark(version, at)}
        </option>
      ))}
    </Select>
  );
}
