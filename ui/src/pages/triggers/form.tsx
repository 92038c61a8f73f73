import { useQueryClient } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { type ChangeEvent, useState } from "react";
import { api } from "../../api/client";
import { useNamespaces, useWorkflows } from "../../api/lists";
import { randomHex } from "../../api/values";
import type { Guard, Shown } from "../../api/version";
import { IconButton } from "../../kit/button";
import { Change } from "../../kit/change";
import { Select, TextArea, TextField } from "../../kit/field";
import { Secrets } from "../../kit/secrets";
import { useToasts } from "../../kit/toast";
import { Rows } from "./rows";
import {
  askedOf,
  type Draft,
  draftOf,
  HEADERS,
  newDraft,
  readTrigger,
  specOf,
  type Trigger,
} from "./spec";
import styles from "./triggers.module.css";

/** Bytes of a secret that is made here. */
const SECRET_BYTES = 24;

type Alter = (part: Partial<Draft>) => void;
type Event = ChangeEvent<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>;

interface FormProps {
  /** The one to be changed; a new one without. */
  before?: Shown<Trigger> | undefined;
  /** A request's trigger was made or changed; this is its secret, this once. */
  onSecret: (name: string, secret: string) => void;
  onClose: () => void;
}

/** Makes a trigger, or changes one. */
export function TriggerForm({ before, onSecret, onClose }: FormProps) {
  const client = useQueryClient();
  const toasts = useToasts();
  const [draft, setDraft] = useState(() =>
    before ? draftOf(before.it) : newDraft(randomHex(SECRET_BYTES)),
  );
  // What the form does not show comes from here.
  const [base, setBase] = useState(before?.it);
  const [wrong, setWrong] = useState<string>();
  const change: Alter = (part) => setDraft({ ...draft, ...part });
  const save = async (header: Guard) => {
    const result = specOf(draft, base);
    setWrong("wrong" in result ? result.wrong : undefined);
    if ("wrong" in result) throw new Error("The variables cannot be read");
    await api.PUT("/api/v1/triggers/{name}", {
      params: { path: { name: draft.name }, header },
      body: result.spec,
    });
    toasts.done(`The trigger ${draft.name} is ${before ? "changed" : "made"}`);
    if (draft.kind === "request" && !before) onSecret(draft.name, draft.secret);
    await client.invalidateQueries({ queryKey: ["triggers"] });
  };
  return (
    <Change
      title={before ? `Change ${draft.name}` : "New trigger"}
      action={before ? "Save" : "Make it"}
      of={before}
      read={() => readTrigger(draft.name)}
      part={askedOf}
      write={save}
      onTake={(now) => {
        setDraft(draftOf(now));
        setBase(now);
      }}
      onClose={onClose}
    >
      {!before && <Name draft={draft} change={change} />}
      <TextField
        label="What it is for"
        value={draft.description}
        onChange={(event) => change({ description: event.target.value })}
      />
      <What draft={draft} change={change} fixed={before !== undefined} />
      {draft.kind === "request" ? (
        <Proof draft={draft} change={change} again={before !== undefined} />
      ) : (
        <File draft={draft} change={change} />
      )}
      <Rows kind={draft.kind} rows={draft.rows} onChange={(rows) => change({ rows })} />
      <TextArea
        label="Other variables"
        placeholder='{"SCOPE": "all"}'
        hint="A JSON object: what its runs begin with beside those"
        value={draft.variables}
        wrong={wrong}
        onChange={(event) => {
          change({ variables: event.target.value });
          setWrong(undefined);
        }}
      />
      <Secrets of={draft.secrets} onChange={(secrets) => change({ secrets })} />
    </Change>
  );
}

interface PartProps {
  draft: Draft;
  change: Alter;
}

function Name({ draft, change }: PartProps) {
  return (
    <div className={styles.pair}>
      <TextField
        label="Name"
        required
        autoFocus
        value={draft.name}
        onChange={(event) => change({ name: event.target.value })}
      />
      <Select
        label="Started by"
        value={draft.kind}
        onChange={(event) =>
          change({ kind: event.target.value === "file" ? "file" : "request", rows: [] })
        }
      >
        <option value="request">A request from elsewhere</option>
        <option value="file">A file that comes or changes</option>
      </Select>
    </div>
  );
}

function What({ draft, change, fixed }: PartProps & { fixed: boolean }) {
  const namespaces = useNamespaces();
  const workflows = useWorkflows(draft.namespace);
  const names = workflows.data?.items.map(({ name }) => name) ?? [];
  return (
    <div className={styles.pair}>
      {!fixed && namespaces.length > 1 && (
        <Select
          label="Namespace"
          value={draft.namespace}
          onChange={(event) => change({ namespace: event.target.value })}
        >
          {namespaces.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      )}
      <Select
        label="Workflow to run"
        required
        value={draft.workflow}
        onChange={(event) => change({ workflow: event.target.value })}
      >
        <option value="">Choose…</option>
        {[...new Set([...names, draft.workflow])].filter(Boolean).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </div>
  );
}

function Proof({ draft, change, again }: PartProps & { again: boolean }) {
  const choose = (event: Event) => {
    const proof = event.target.value === "token" ? "token" : "hmac";
    change({ proof, header: HEADERS[proof] });
  };
  return (
    <>
      <div className={styles.pair}>
        <Select label="Requests prove themselves by" value={draft.proof} onChange={choose}>
          <option value="hmac">A signature of their body</option>
          <option value="token">The secret itself</option>
        </Select>
        <TextField
          label="In the header"
          required
          value={draft.header}
          onChange={(event) => change({ header: event.target.value })}
        />
      </div>
      <div className={styles.secret}>
        <TextField
          label="Secret"
          required
          minLength={16}
          maxLength={1024}
          autoComplete="off"
          hint={
            again
              ? "It is sealed: write it again, or make another and tell those who call"
              : "Shown here and once more when it is made; nobody can read it later"
          }
          value={draft.secret}
          onChange={(event) => change({ secret: event.target.value })}
        />
        <IconButton
          icon={RefreshCw}
          label="Make another secret"
          onClick={() => change({ secret: randomHex(SECRET_BYTES) })}
        />
      </div>
      <TextField
        label="Header that names a delivery"
        placeholder="Idempotency-Key"
        hint="One that comes again within a day starts no second run. GitHub's is X-GitHub-Delivery"
        value={draft.delivery}
        onChange={(event) => change({ delivery: event.target.value })}
      />
    </>
  );
}

function File({ draft, change }: PartProps) {
  return (
    <>
      <TextField
        label="File"
        required
        placeholder="/data/in/*.csv"
        hint="An absolute path in a folder of the setting server.watched_folders; * and ? stand for any signs"
        value={draft.file}
        onChange={(event) => change({ file: event.target.value })}
      />
      <div className={styles.pair}>
        <TextField
          label="Quiet for, in milliseconds"
          type="number"
          required
          min={0}
          max={600_000}
          hint="So long it has to stay as it is"
          value={draft.quiet}
          onChange={(event) => change({ quiet: event.target.value })}
        />
        <Select
          label="Files while the server was down"
          value={draft.catchUp}
          onChange={(event) => change({ catchUp: event.target.value === "none" ? "none" : "all" })}
        >
          <option value="all">Start their runs</option>
          <option value="none">Are counted as missed</option>
        </Select>
      </div>
    </>
  );
}
