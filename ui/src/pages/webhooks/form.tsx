import { useState } from "react";
import { api, data } from "../../api/client";
import { useNamespaces, useWorkflows } from "../../api/lists";
import type { Guard, Shown } from "../../api/version";
import { Change } from "../../kit/change";
import { Select, TextField } from "../../kit/field";
import type { Made } from "./secret";
import {
  type Draft,
  draftOf,
  NEW_WEBHOOK,
  nameOf,
  readWebhook,
  specOf,
  type Webhook,
} from "./spec";
import { Types, usualOf } from "./types";
import { useDone } from "./use-webhooks";
import styles from "./webhooks.module.css";

interface FormProps {
  /** The one to be changed; a new one without. */
  before?: Shown<Webhook> | undefined;
  /** It was made; this is its secret, this once. */
  onMade?: (made: Made) => void;
  onClose: () => void;
}

type Alter = (part: Partial<Draft>) => void;

/** Makes a webhook, or changes one. */
export function WebhookForm({ before, onMade, onClose }: FormProps) {
  const done = useDone();
  const [draft, setDraft] = useState(() => (before ? draftOf(before.it) : NEW_WEBHOOK));
  const [open, setOpen] = useState(() => usualOf(draft.types) === "chosen");
  const change: Alter = (part) => setDraft({ ...draft, ...part });
  const save = async (header: Guard) => {
    if (open && draft.types.length === 0) throw new Error("Choose at least one event");
    const body = specOf(draft);
    if (before) {
      const path = { id: before.it.id };
      await api.PUT("/api/v1/webhooks/{id}", { params: { path, header }, body });
      await done("The webhook is changed");
      return;
    }
    const secret = draft.secret.trim();
    const made = await data(
      api.POST("/api/v1/webhooks", { body: { ...body, ...(secret && { secret }) } }),
    );
    onMade?.({ url: made.webhook.url, secret: made.secret });
    await done("The webhook is made");
  };
  return (
    <Change
      title={before ? `Change ${nameOf(before.it)}` : "New webhook"}
      action={before ? "Save" : "Make it"}
      of={before}
      read={() => readWebhook(before?.it.id ?? "")}
      part={(it) => specOf(draftOf(it))}
      write={save}
      onTake={(now) => {
        setDraft(draftOf(now));
        setOpen(usualOf(now.types) === "chosen");
      }}
      onClose={onClose}
    >
      <TextField
        label="Address that events are posted to"
        type="url"
        required
        autoFocus
        maxLength={2048}
        placeholder="https://example.org/hook"
        value={draft.url}
        onChange={(event) => change({ url: event.target.value })}
      />
      <TextField
        label="What it is for"
        maxLength={256}
        value={draft.description}
        onChange={(event) => change({ description: event.target.value })}
      />
      <Types
        of={draft.types}
        open={open}
        onChange={(types, chosen) => {
          setOpen(chosen);
          change({ types });
        }}
      />
      <Where draft={draft} change={change} />
      <Tries draft={draft} change={change} making={before === undefined} />
    </Change>
  );
}

interface PartProps {
  draft: Draft;
  change: Alter;
}

function Where({ draft, change }: PartProps) {
  const namespaces = useNamespaces();
  const names = useWorkflows().data?.items.map(({ name }) => name) ?? [];
  return (
    <div className={styles.pair}>
      <Select
        label="Only of the workflow"
        value={draft.workflow}
        onChange={(event) => change({ workflow: event.target.value })}
      >
        <option value="">All of them</option>
        {[...new Set([...names, draft.workflow])].filter(Boolean).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <TextField
        label="Only in the namespaces"
        placeholder="all of them"
        hint={namespaces.length > 0 ? `Known: ${namespaces.join(", ")}` : "Names with commas"}
        value={draft.namespaces}
        onChange={(event) => change({ namespaces: event.target.value })}
      />
    </div>
  );
}

function Tries({ draft, change, making }: PartProps & { making: boolean }) {
  const number = (
    label: string,
    name: "attempts" | "initial" | "most",
    min: number,
    max: number,
  ) => (
    <TextField
      label={label}
      type="number"
      required
      min={min}
      max={max}
      step={name === "attempts" ? 1 : "any"}
      value={draft[name]}
      onChange={(event) => change({ [name]: event.target.value })}
    />
  );
  return (
    <details className={styles.details}>
      <summary>When a delivery fails{making && ", and a secret of your own"}</summary>
      <div className={styles.pair}>
        {number("Tries in all", "attempts", 1, 20)}
        {number("First wait, in seconds", "initial", 0.1, 60)}
        {number("Longest wait", "most", 0.1, 3600)}
      </div>
      {making && (
        <TextField
          label="Signing secret"
          placeholder="whsec_…"
          autoComplete="off"
          hint="One is made if this is empty"
          value={draft.secret}
          onChange={(event) => change({ secret: event.target.value })}
        />
      )}
    </details>
  );
}
