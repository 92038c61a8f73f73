/** What a task promises, announces and notes. */

import { mapOf } from "../document/view";
import { ContractForm } from "./contract-form";
import { EventsForm } from "./events-form";
import { MapRows, mapValue } from "./fields";
import { type Part, Section } from "./section";

export function Promises({ task, put, disabled }: Part) {
  const { success, error } = mapOf(task.value.contract);
  const said = [success !== undefined && "success", error !== undefined && "error"];
  const outputs = task.outputs.map(({ name }) => name).filter((name) => name !== "*");
  return (
    <Section title="Contract" sum={said.filter(Boolean).join(", ")}>
      <ContractForm
        label="Outputs of a success"
        hint="An attempt whose outputs are otherwise fails for good."
        value={success}
        known={outputs}
        open={task.outputs.some(({ name }) => name === "*")}
        disabled={disabled}
        onCommit={(next) => put(["contract", "success"], next)}
      />
      <ContractForm
        label="ERROR of a failure"
        hint="What a failing attempt has to say of itself."
        value={error}
        known={NONE}
        open
        disabled={disabled}
        onCommit={(next) => put(["contract", "error"], next)}
      />
    </Section>
  );
}

const NONE: readonly string[] = [];

export function Announcements({ task, put, disabled }: Part) {
  const { events } = task.value;
  const count = Array.isArray(events) ? events.length : 0;
  const outputs = task.outputs.map(({ name }) => name);
  return (
    <Section title="Events" sum={count > 0 ? String(count) : undefined}>
      <EventsForm
        task={task.name}
        value={events}
        variables={[...new Set([...task.inputs, ...outputs])].filter((name) => name !== "*")}
        disabled={disabled}
        onCommit={(next) => put(["events"], next)}
      />
    </Section>
  );
}

export function Notes({ task, put, disabled }: Part) {
  const notes = mapValue(task.value.annotations);
  const count = Object.keys(notes).length;
  return (
    <Section title="Notes" sum={count > 0 ? String(count) : undefined}>
      <MapRows
        label="Annotations"
        value={notes}
        keyLabel="New note"
        textsOnly
        disabled={disabled}
        onCommit={(next) => put(["annotations"], next)}
      />
    </Section>
  );
}
