import { type FormEvent, useId, useState } from "react";
import { Button } from "../../../kit/button";
import { Dialog } from "../../../kit/dialog";
import { Select, TextField } from "../../../kit/field";
import { type Mention, mentionsOf } from "../document/mentions";
import { read } from "../document/source";
import { keepsName, refused, withVariableRenamed } from "../document/variable";
import { useBench } from "../state/bench";
import { useText } from "../state/text-store";
import styles from "./panel.module.css";

/** Gives one of these variables another name, wherever the workflow speaks of it. */
export function RenameDialog(props: { variables: readonly string[]; onClose: () => void }) {
  const { variables, onClose } = props;
  const { view, plugins, write, sound } = useBench();
  const text = useText();
  const [variable, setVariable] = useState(variables[0] ?? "");
  const [name, setName] = useState(variable);
  const id = useId();
  const source = read(text);
  const keeps = keepsName(view, plugins, variable);
  const wrong = name === variable ? undefined : refused(source, name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    write(withVariableRenamed(text, variable, name));
    onClose();
  };
  const choose = (next: string) => {
    setVariable(next);
    setName(next);
  };
  const able = sound && keeps === undefined && wrong === undefined && name !== variable;
  return (
    <Dialog
      title={`Rename ${variable}`}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button type="submit" form={id} kind="primary" disabled={!able}>
            Rename everywhere
          </Button>
        </>
      }
    >
      <form id={id} className={styles.form} onSubmit={submit}>
        {variables.length > 1 && (
          <Select
            label="Variable"
            value={variable}
            onChange={(event) => choose(event.target.value)}
          >
            {variables.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        )}
        <TextField
          label="New name"
          autoFocus
          autoComplete="off"
          disabled={keeps !== undefined}
          wrong={keeps ?? wrong}
          value={name}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setName(event.target.value)}
        />
        {keeps === undefined && (
          <p className={styles.hint}>
            {whereOf(mentionsOf(source, variable), view.tasks)} What files and plugins of your own
            read under the old name stays as it is.
          </p>
        )}
      </form>
    </Dialog>
  );
}

const NAMED = 4;

/** `It stands in 5 places: in env, extract_data and load_data.` */
function whereOf(mentions: readonly Mention[], tasks: readonly { name: string }[]): string {
  const owners = [
    ...new Set(
      mentions.map(({ task }) => (task === undefined ? "the workflow" : tasks[task]?.name)),
    ),
  ];
  const more = owners.length - NAMED;
  const named = owners.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
  const count = mentions.length === 1 ? "one place" : `${mentions.length} places`;
  return `It stands in ${count}: ${named}.`;
}
