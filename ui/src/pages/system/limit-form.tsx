import { useState } from "react";
import { api } from "../../api/client";
import type { Guard, Shown } from "../../api/version";
import { Change } from "../../kit/change";
import { Select, TextField } from "../../kit/field";
import { type Limit, type LimitDraft, limitDraftOf, limitOf, NEW_LIMIT, readLimit } from "./limit";
import styles from "./system.module.css";

interface LimitFormProps {
  /** The one to be changed; a new one without. */
  before?: Shown<Limit> | undefined;
  onDone: (text: string) => Promise<unknown>;
  onClose: () => void;
}

type Alter = (part: Partial<LimitDraft>) => void;

/** Makes a limit, or changes one. */
export function LimitForm({ before, onDone, onClose }: LimitFormProps) {
  const [draft, setDraft] = useState(() => (before ? limitDraftOf(before.it) : NEW_LIMIT));
  const change: Alter = (part) => setDraft({ ...draft, ...part });
  const save = async (header: Guard) => {
    await api.PUT("/api/v1/limits/{name}", {
      params: { path: { name: draft.name }, header },
      body: limitOf(draft),
    });
    await onDone(`The limit ${draft.name} is ${before ? "changed" : "made"}`);
  };
  return (
    <Change
      title={before ? `Change ${draft.name}` : "New limit"}
      action={before ? "Save" : "Make it"}
      of={before}
      read={() => readLimit(draft.name)}
      part={(it) => limitOf(limitDraftOf(it))}
      write={save}
      onTake={(now) => setDraft(limitDraftOf(now))}
      onClose={onClose}
    >
      <div className={styles.pair}>
        {!before && (
          <TextField
            label="Name"
            required
            autoFocus
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        )}
        <Select
          label="It counts"
          value={draft.counts}
          onChange={(event) =>
            change({ counts: event.target.value === "tasks" ? "tasks" : "runs" })
          }
        >
          <option value="runs">Runs</option>
          <option value="tasks">Tasks of a queue</option>
        </Select>
      </div>
      {draft.counts === "tasks" ? (
        <OfTasks draft={draft} change={change} />
      ) : (
        <OfRuns draft={draft} change={change} />
      )}
    </Change>
  );
}

interface PartProps {
  draft: LimitDraft;
  change: Alter;
}

function OfTasks({ draft, change }: PartProps) {
  return (
    <div className={styles.pair}>
      <TextField
        label="Queue"
        required
        value={draft.queue}
        onChange={(event) => change({ queue: event.target.value })}
      />
      <TextField
        label="The most at once"
        type="number"
        required
        min={1}
        max={100_000}
        value={draft.most}
        onChange={(event) => change({ most: event.target.value })}
      />
    </div>
  );
}

function OfRuns({ draft, change }: PartProps) {
  return (
    <>
      <div className={styles.pair}>
        <TextField
          label="Namespace"
          required
          value={draft.namespace}
          onChange={(event) => change({ namespace: event.target.value })}
        />
        <TextField
          label="Workflow"
          placeholder="all of them"
          value={draft.workflow}
          onChange={(event) => change({ workflow: event.target.value })}
        />
        <Select
          label="Counted together are"
          value={draft.key}
          onChange={(event) => change({ key: event.target.value as LimitDraft["key"] })}
        >
          <option value="">All of them</option>
          <option value="variables">Those with the same variables</option>
          <option value="request">Those started with the same key</option>
        </Select>
        {draft.key === "variables" && (
          <TextField
            label="Variables"
            required
            placeholder="{{CUSTOMER}}"
            hint="Variables that the run begins with"
            value={draft.template}
            onChange={(event) => change({ template: event.target.value })}
          />
        )}
      </div>
      <HowMany draft={draft} change={change} />
    </>
  );
}

function HowMany({ draft, change }: PartProps) {
  const rate = draft.starts !== "";
  return (
    <div className={styles.pair}>
      <TextField
        label="The most at once"
        type="number"
        required={!rate}
        min={1}
        max={1000}
        placeholder={rate ? "any number" : ""}
        value={draft.most}
        onChange={(event) => change({ most: event.target.value })}
      />
      <Select
        label="When it is full, a new run"
        value={draft.whenFull}
        onChange={(event) =>
          change({ whenFull: event.target.value === "refuse" ? "refuse" : "wait" })
        }
      >
        <option value="wait">Waits</option>
        <option value="refuse">Is refused</option>
      </Select>
      <TextField
        label="The most that begin"
        type="number"
        min={1}
        max={1000}
        placeholder="any number"
        value={draft.starts}
        onChange={(event) => change({ starts: event.target.value })}
      />
      <TextField
        label="Within so many seconds"
        type="number"
        required={rate}
        disabled={!rate}
        min={1}
        max={86_400}
        value={draft.perS}
        onChange={(event) => change({ perS: event.target.value })}
      />
    </div>
  );
}
