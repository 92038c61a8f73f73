import { useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, useState } from "react";
import { api } from "../../api/client";
import { useNamespaces, useWorkflows } from "../../api/lists";
import type { Guard, Shown } from "../../api/version";
import { Change } from "../../kit/change";
import { Select, TextArea, TextField } from "../../kit/field";
import kit from "../../kit/kit.module.css";
import { Secrets } from "../../kit/secrets";
import { useToasts } from "../../kit/toast";
import styles from "./schedules.module.css";
import {
  askedOf,
  type Draft,
  draftOf,
  newDraft,
  readSchedule,
  type Schedule,
  specOf,
} from "./spec";

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ZONES = [...new Set(["UTC", HERE, ...Intl.supportedValuesOf("timeZone")])];

type Set = (
  name: Exclude<keyof Draft, "secrets">,
) => (event: ChangeEvent<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>) => void;

interface FormProps {
  /** The one to be changed; a new one without. */
  before?: Shown<Schedule> | undefined;
  onClose: () => void;
}

/** Makes a schedule, or changes one. */
export function ScheduleForm({ before, onClose }: FormProps) {
  const client = useQueryClient();
  const toasts = useToasts();
  const [draft, setDraft] = useState(() => (before ? draftOf(before.it, HERE) : newDraft(HERE)));
  // What the form does not show comes from here.
  const [base, setBase] = useState(before?.it);
  const [wrong, setWrong] = useState<string>();
  const set: Set = (name) => (event) => setDraft({ ...draft, [name]: event.target.value });
  const save = async (header: Guard) => {
    const result = specOf(draft, base);
    if ("wrong" in result) {
      setWrong(result.wrong);
      throw new Error("The variables cannot be read");
    }
    setWrong(undefined);
    await api.PUT("/api/v1/schedules/{name}", {
      params: { path: { name: draft.name }, header },
      body: result.spec,
    });
    toasts.done(`The schedule ${draft.name} is ${before ? "changed" : "made"}`);
    await client.invalidateQueries({ queryKey: ["schedules"] });
  };
  return (
    <Change
      title={before ? `Change ${draft.name}` : "New schedule"}
      action={before ? "Save" : "Make it"}
      of={before}
      read={() => readSchedule(draft.name)}
      part={askedOf}
      write={save}
      onTake={(now) => {
        setDraft(draftOf(now, HERE));
        setBase(now);
      }}
      onClose={onClose}
    >
      {!before && (
        <TextField label="Name" required value={draft.name} onChange={set("name")} autoFocus />
      )}
      <TextField label="What it is for" value={draft.description} onChange={set("description")} />
      <What draft={draft} set={set} fixed={before !== undefined} />
      <When draft={draft} set={set} />
      <TextArea
        label="Variables"
        placeholder='{"SCOPE": "all"}'
        hint="A JSON object: what its runs begin with"
        value={draft.variables}
        wrong={wrong}
        onChange={(event) => {
          set("variables")(event);
          setWrong(undefined);
        }}
      />
      <Secrets of={draft.secrets} onChange={(secrets) => setDraft({ ...draft, secrets })} />
      <Otherwise draft={draft} set={set} />
    </Change>
  );
}

interface PartProps {
  draft: Draft;
  set: Set;
}

function What({ draft, set, fixed }: PartProps & { fixed: boolean }) {
  const namespaces = useNamespaces();
  const workflows = useWorkflows(draft.namespace);
  const names = workflows.data?.items.map(({ name }) => name) ?? [];
  return (
    <div className={styles.pair}>
      {!fixed && namespaces.length > 1 && (
        <Select label="Namespace" value={draft.namespace} onChange={set("namespace")}>
          {namespaces.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      )}
      <Select label="Workflow" required value={draft.workflow} onChange={set("workflow")}>
        <option value="">Choose…</option>
        {[...new Set([...names, draft.workflow])].filter(Boolean).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </div>
  );
}

function When({ draft, set }: PartProps) {
  return (
    <div className={styles.pair}>
      <Select label="Ticks" value={draft.kind} onChange={set("kind")}>
        <option value="cron">By a cron expression</option>
        <option value="every">At equal distances</option>
        <option value="once">Once</option>
      </Select>
      {draft.kind === "cron" && (
        <>
          <TextField
            label="Expression"
            required
            hint="Minute, hour, day, month, weekday"
            value={draft.expression}
            onChange={set("expression")}
          />
          <Select label="Time zone" value={draft.timeZone} onChange={set("timeZone")}>
            {[...new Set([...ZONES, draft.timeZone])].map((zone) => (
              <option key={zone}>{zone}</option>
            ))}
          </Select>
        </>
      )}
      {draft.kind === "every" && (
        <TextField
          label="Seconds between ticks"
          type="number"
          required
          min={1}
          max={31_536_000}
          value={draft.seconds}
          onChange={set("seconds")}
        />
      )}
      {draft.kind === "once" && (
        <TextField
          label="At"
          type="datetime-local"
          required
          step={1}
          hint={HERE}
          value={draft.at}
          onChange={set("at")}
        />
      )}
    </div>
  );
}

function Otherwise({ draft, set }: PartProps) {
  return (
    <details>
      <summary>When runs overlap, and when nobody was there</summary>
      <div className={`${styles.pair} ${styles.details}`}>
        <Select
          label="While an earlier run is under way"
          value={draft.overlap}
          onChange={set("overlap")}
        >
          <option value="skip">Start nothing</option>
          <option value="queue">Wait until it has ended</option>
          <option value="allow">Start beside it</option>
          <option value="cancel_older">Cancel it, and start</option>
        </Select>
        <Select
          label="Ticks while the server was down"
          value={draft.catchUp}
          onChange={set("catchUp")}
        >
          <option value="none">Are counted as missed</option>
          <option value="last">The last one fires</option>
          <option value="all">All of a window fire</option>
        </Select>
        {draft.catchUp === "all" && (
          <TextField
            label="The window, in hours"
            type="number"
            required
            min={0.001}
            max={168}
            step="any"
            value={draft.catchUpHours}
            onChange={set("catchUpHours")}
          />
        )}
        <TextField
          label="Jitter, in seconds"
          type="number"
          min={0}
          max={3600}
          hint="Fires up to so much later, so that not all start together"
          value={draft.jitter}
          onChange={set("jitter")}
        />
      </div>
      <p className={kit.hint}>Its runs start with your rights.</p>
    </details>
  );
}
