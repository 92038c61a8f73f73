import { useEffect, useId, useRef, useState } from "react";
import { Button } from "../../../kit/button";
import { VARIABLE } from "../document/variable";
import type { Task } from "../document/view";
import styles from "./canvas.module.css";

/** Asks, where a link was drawn, which variable it is. */
export function Namer(props: {
  from: Task;
  to: Task;
  at: { x: number; y: number };
  onName: (variable: string) => void;
  onOrder: () => void;
  onClose: () => void;
}) {
  const { from, to, at, onName, onOrder, onClose } = props;
  const known = from.outputs.map(({ name }) => name).filter((name) => VARIABLE.test(name));
  const offered = known.filter((name) => !to.inputs.includes(name));
  const [name, setName] = useState(offered[0] ?? suggestion(from));
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const valid = VARIABLE.test(name);
  return (
    <form
      className={`${styles.namer} nodrag nopan nowheel`}
      style={{ left: at.x, top: at.y }}
      aria-label={`Name the variable from ${from.name} to ${to.name}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) onName(name);
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") onClose();
      }}
    >
      <label htmlFor={id}>
        <strong>{to.name}</strong> waits for the variable
      </label>
      <NameInput id={id} value={name} onChange={setName} ref={input} valid={valid} />
      {offered.length > 1 && (
        <div className={styles.namerChoices}>
          {offered.map((offer) => (
            <button key={offer} type="button" className={styles.chip} onClick={() => onName(offer)}>
              {offer}
            </button>
          ))}
        </div>
      )}
      <div className={styles.namerChoices}>
        <Button type="submit" kind="primary" disabled={!valid}>
          Link
        </Button>
        <Button kind="quiet" onClick={onOrder}>
          Order only
        </Button>
        <Button kind="quiet" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function NameInput(props: {
  id: string;
  value: string;
  valid: boolean;
  onChange: (value: string) => void;
  ref: React.Ref<HTMLInputElement>;
}) {
  const { id, value, valid, onChange, ref } = props;
  return (
    <input
      ref={ref}
      id={id}
      className={`${styles.nameInput} mono`}
      value={value}
      aria-invalid={!valid}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** `extract_data` may set `EXTRACT_DATA`. */
function suggestion({ name, plugin }: Task): string {
  if (plugin === "start") return "TRUE";
  const word = name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
  return /^[A-Z_]/.test(word) ? word : `V_${word}`;
}
