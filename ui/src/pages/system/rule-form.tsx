import { useState } from "react";
import { api } from "../../api/client";
import type { Guard, Shown } from "../../api/version";
import { Change } from "../../kit/change";
import { Check, TextField } from "../../kit/field";
import { ENDED, NEW_RULE, type Rule, type RuleDraft, readRule, ruleDraftOf, ruleOf } from "./rule";
import styles from "./system.module.css";

const LABELS = { succeeded: "Succeeded", failed: "Failed", cancelled: "Were cancelled" };

interface RuleFormProps {
  /** The one to be changed; a new one without. */
  before?: Shown<Rule> | undefined;
  onDone: (text: string) => Promise<unknown>;
  onClose: () => void;
}

/** Makes a rule, or changes one. */
export function RuleForm({ before, onDone, onClose }: RuleFormProps) {
  const [draft, setDraft] = useState(() => (before ? ruleDraftOf(before.it) : NEW_RULE));
  const change = (part: Partial<RuleDraft>) => setDraft({ ...draft, ...part });
  const save = async (header: Guard) => {
    if (draft.ended.length === 0) throw new Error("Runs of at least one ending are deleted");
    await api.PUT("/api/v1/retention/{name}", {
      params: { path: { name: draft.name }, header },
      body: ruleOf(draft),
    });
    await onDone(`The rule ${draft.name} is ${before ? "changed" : "made"}`);
  };
  return (
    <Change
      title={before ? `Change the rule ${draft.name}` : "New rule"}
      action={before ? "Save" : "Make it"}
      danger
      of={before}
      read={() => readRule(draft.name)}
      part={(it) => ruleOf(ruleDraftOf(it))}
      write={save}
      onTake={(now) => setDraft(ruleDraftOf(now))}
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
        <TextField
          label="Days that runs are kept"
          type="number"
          required
          min={0}
          step="any"
          value={draft.days}
          onChange={(event) => change({ days: event.target.value })}
        />
        <TextField
          label="Namespace"
          placeholder="all of them"
          value={draft.namespace}
          onChange={(event) => change({ namespace: event.target.value })}
        />
        <TextField
          label="Workflow"
          placeholder="all of them"
          value={draft.workflow}
          onChange={(event) => change({ workflow: event.target.value })}
        />
      </div>
      <fieldset className={styles.choices}>
        <legend>Runs that</legend>
        {ENDED.map((state) => (
          <Check
            key={state}
            label={LABELS[state]}
            checked={draft.ended.includes(state)}
            onChange={(event) =>
              change({
                ended: ENDED.filter((it) =>
                  it === state ? event.target.checked : draft.ended.includes(it),
                ),
              })
            }
          />
        ))}
      </fieldset>
      <p>
        Runs that ended longer ago are deleted with their logs, for good, those that ended before
        the rule was written too.
      </p>
    </Change>
  );
}
