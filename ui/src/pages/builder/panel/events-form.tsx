import { Plus, X } from "lucide-react";
import { Button, IconButton } from "../../../kit/button";
import type { Json } from "../document/json";
import { VARIABLE } from "../document/variable";
import { type Announced, eventsOf, MOST, writtenEvents, wrongName } from "./events";
import { CheckValue, ChoiceValue, NamesValue, TextValue, YamlValue } from "./fields";
import styles from "./panel.module.css";

const HINT = "What it announces when it settles, to whoever reads the run's events.";

/** The events of a task's own. */
export function EventsForm(props: {
  /** The task's name, of which a new event gets its own. */
  task: string;
  value: Json | undefined;
  /** The task's inputs and outputs. */
  variables: readonly string[];
  disabled: boolean;
  onCommit: (value: Json | undefined) => void;
}) {
  const { task, value, variables, disabled, onCommit } = props;
  const events = eventsOf(value);
  if (!events) return <YamlValue label="Events" hint={HINT} {...{ value, disabled, onCommit }} />;
  const put = (next: readonly Announced[]) => onCommit(writtenEvents(next));
  const add = () => {
    const name = freeName(`${task.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, "-")}.done`, events);
    put([...events, { name, on: undefined, payload: undefined }]);
  };
  return (
    <fieldset className={styles.rows}>
      <legend>Events</legend>
      <p className={styles.hint}>{HINT}</p>
      {events.map((event, at) => (
        <Event
          // biome-ignore lint/suspicious/noArrayIndexKey: an event is known by its place, its name is typed
          key={at}
          event={event}
          place={at + 1}
          variables={variables}
          disabled={disabled}
          onEvent={(next) => put(next ? events.with(at, next) : events.toSpliced(at, 1))}
        />
      ))}
      {events.length < MOST && (
        <div>
          <Button icon={Plus} kind="quiet" disabled={disabled} onClick={add}>
            Add an event
          </Button>
        </div>
      )}
    </fieldset>
  );
}

function freeName(name: string, events: readonly Announced[]): string {
  const taken = new Set(events.map((event) => event.name));
  let count = 1;
  while (taken.has(count === 1 ? name : `${name}-${count}`)) count += 1;
  return count === 1 ? name : `${name}-${count}`;
}

function Event(props: {
  event: Announced;
  place: number;
  variables: readonly string[];
  disabled: boolean;
  onEvent: (event: Announced | undefined) => void;
}) {
  const { event, place, variables, disabled, onEvent } = props;
  const { name, on, payload } = event;
  return (
    <fieldset className={styles.card} aria-label={`Event ${place}`}>
      <div className={styles.cardHead}>
        <TextValue
          label="Name"
          value={name}
          wrong={wrongName(name)}
          disabled={disabled}
          onCommit={(next) => next && onEvent({ ...event, name: next })}
        />
        <IconButton
          icon={X}
          label={`Remove ${name}`}
          disabled={disabled}
          onClick={() => onEvent(undefined)}
        />
      </div>
      <ChoiceValue
        label="When the task"
        value={on}
        choices={["failure", "always"]}
        words={WORDS}
        unset="succeeds"
        disabled={disabled}
        onCommit={(next) => onEvent({ ...event, on: next })}
      />
      <CheckValue
        label="With all declared outputs"
        value={payload === undefined}
        fallback
        disabled={disabled}
        onCommit={(all) => onEvent({ ...event, payload: all === false ? [] : undefined })}
      />
      {payload && (
        <NamesValue
          label="Variables that go with it"
          value={payload}
          offers={variables}
          pattern={VARIABLE}
          placeholder="Add a variable"
          disabled={disabled}
          onCommit={(names = []) => onEvent({ ...event, payload: names })}
        />
      )}
    </fieldset>
  );
}

const WORDS: Record<string, string> = { failure: "fails", always: "settles, however it does" };
