/** Controls for values of the document. What is typed is written after a rest, or when it is left. */

import { Pencil, Plus, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { parse, stringify } from "yaml";
import { IconButton } from "../../../kit/button";
import { Field, Select, TextArea, TextField } from "../../../kit/field";
import { isMapValue, type Json, type JsonMap } from "../document/json";
import { Offers } from "./offers";
import styles from "./panel.module.css";

const REST_MS = 350;

/** What is in a control until it is written: `undefined` is nothing. */
export function useTyped<T>(value: T, onCommit: (value: T) => void) {
  const [typed, setTyped] = useState<{ value: T } | undefined>();
  const latest = useRef({ typed, onCommit });
  latest.current = { typed, onCommit };
  useEffect(() => {
    if (!typed) return;
    const timer = setTimeout(() => latest.current.onCommit(typed.value), REST_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  // What is still on its way is written when the control goes.
  useEffect(
    () => () => {
      const { typed, onCommit } = latest.current;
      if (typed) onCommit(typed.value);
    },
    [],
  );
  return {
    value: typed ? typed.value : value,
    type: (next: T) => setTyped({ value: next }),
    leave: () => {
      if (typed) onCommit(typed.value);
      setTyped(undefined);
    },
  };
}

interface Common<T> {
  label: string;
  hint?: ReactNode;
  wrong?: string | undefined;
  disabled?: boolean | undefined;
  onCommit: (value: T | undefined) => void;
}

export function TextValue(
  props: Common<string> & {
    value: string;
    multiline?: boolean | undefined;
    placeholder?: string | undefined;
    list?: readonly string[];
  },
) {
  const { label, hint, wrong, disabled, value, multiline, placeholder, list, onCommit } = props;
  const field = useTyped(
    value,
    (text) => text !== value && onCommit(text === "" ? undefined : text),
  );
  const id = useId();
  const common = {
    label,
    hint,
    wrong,
    placeholder,
    disabled,
    value: field.value,
    onBlur: field.leave,
  };
  if (multiline) {
    const rows = Math.min(12, Math.max(2, field.value.split("\n").length));
    return (
      <TextArea {...common} rows={rows} onChange={(event) => field.type(event.target.value)} />
    );
  }
  return (
    <>
      <TextField
        {...common}
        list={list && id}
        autoComplete="off"
        onChange={(event) => field.type(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && field.leave()}
      />
      {list && <Offers id={id} offers={list} />}
    </>
  );
}

/** A number, or a text such as `5m` where that is allowed too. */
export function NumberValue(
  props: Common<Json> & { value: Json | undefined; words?: boolean; placeholder?: string },
) {
  const { value, words, onCommit, wrong, ...rest } = props;
  const [bad, setBad] = useState(false);
  return (
    <TextValue
      {...rest}
      value={value === undefined || value === null ? "" : String(value)}
      wrong={bad ? "This has to be a number." : wrong}
      onCommit={(text) => {
        const number = text === undefined ? undefined : Number(text);
        const isNumber = number === undefined || !Number.isNaN(number);
        setBad(!isNumber && !words);
        if (isNumber) onCommit(number);
        else if (words) onCommit(text);
      }}
    />
  );
}

export function ChoiceValue(
  props: Common<string> & {
    value: Json | undefined;
    choices: readonly string[];
    /** What choices are called, where they are not called what they are. */
    words?: Record<string, string>;
    unset: string;
  },
) {
  const { value, choices, words, unset, onCommit, ...rest } = props;
  return (
    <Select
      {...rest}
      value={value === undefined ? "" : String(value)}
      onChange={(event) => onCommit(event.target.value || undefined)}
    >
      <option value="">{unset}</option>
      {choices.map((choice) => (
        <option key={choice} value={choice}>
          {words?.[choice] ?? choice}
        </option>
      ))}
    </Select>
  );
}

/** A box to tick, which writes nothing where it says what is so anyway. */
export function CheckValue(
  props: Common<boolean> & { value: Json | undefined; fallback: boolean },
) {
  const { label, hint, disabled, value, fallback, onCommit } = props;
  const id = useId();
  const ticked = typeof value === "boolean" ? value : fallback;
  return (
    <div className={styles.check}>
      <input
        id={id}
        type="checkbox"
        checked={ticked}
        disabled={disabled}
        onChange={(event) =>
          onCommit(event.target.checked === fallback ? undefined : event.target.checked)
        }
      />
      <label htmlFor={id}>
        {label}
        {hint && <span>{hint}</span>}
      </label>
    </div>
  );
}

/** A list of names as chips. */
export function NamesValue(
  props: Common<string[]> & {
    value: readonly string[];
    offers?: readonly string[];
    pattern?: RegExp;
    placeholder?: string;
    /** Gives a name another one wherever it stands. */
    onRename?: (name: string) => void;
  },
) {
  const { label, hint, disabled, value, offers = [], pattern, placeholder, onCommit } = props;
  const { onRename } = props;
  const [fresh, setFresh] = useState("");
  const id = useId();
  const name = fresh.trim();
  const wrong = name !== "" && pattern !== undefined && !pattern.test(name);
  const add = () => {
    if (name === "" || wrong) return;
    setFresh("");
    if (!value.includes(name)) onCommit([...value, name]);
  };
  const left = offers.filter((offer) => !value.includes(offer));
  return (
    <Field label={label} hint={hint} wrong={wrong ? "This is no name here." : undefined}>
      {(control) => (
        <div className={styles.names}>
          {value.length > 0 && (
            <ul className={styles.chips}>
              {value.map((item) => (
                <li key={item}>
                  {item}
                  {onRename && (
                    <button
                      type="button"
                      aria-label={`Rename ${item}`}
                      title="Rename it everywhere"
                      disabled={disabled}
                      onClick={() => onRename(item)}
                    >
                      <Pencil size={11} aria-hidden />
                    </button>
                  )}
                  <button
                    type="button"
                    aria-label={`Remove ${item}`}
                    disabled={disabled}
                    onClick={() => {
                      const others = value.filter((other) => other !== item);
                      onCommit(others.length > 0 ? others : undefined);
                    }}
                  >
                    <X size={12} aria-hidden />
                  </button>
                </li>
              ))}
            </ul>
          )}
          <div className={styles.add}>
            <input
              {...control}
              list={`${id}-offers`}
              value={fresh}
              disabled={disabled}
              placeholder={placeholder ?? "Add…"}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setFresh(event.target.value)}
              onBlur={add}
              onKeyDown={(event) => {
                if (event.key !== "Enter" && event.key !== ",") return;
                event.preventDefault();
                add();
              }}
            />
            <IconButton icon={Plus} label={`Add to ${label}`} disabled={disabled} onClick={add} />
            <Offers id={`${id}-offers`} offers={left} />
          </div>
        </div>
      )}
    </Field>
  );
}

/** Anything, as YAML. */
export function YamlValue(props: Common<Json> & { value: Json | undefined; placeholder?: string }) {
  const { label, hint, disabled, value, placeholder, onCommit } = props;
  const text = value === undefined ? "" : stringify(value, { lineWidth: 0 }).trimEnd();
  const [wrong, setWrong] = useState<string>();
  return (
    <TextValue
      label={label}
      hint={hint}
      disabled={disabled}
      wrong={wrong}
      value={text}
      placeholder={placeholder}
      multiline
      onCommit={(typed) => {
        try {
          onCommit(typed === undefined ? undefined : (parse(typed) as Json));
          setWrong(undefined);
        } catch (error) {
          setWrong(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
        }
      }}
    />
  );
}

/** A map whose values are short: a row for each key. */
export function MapRows(
  props: Common<JsonMap> & {
    value: JsonMap;
    keyLabel: string;
    textsOnly?: boolean;
    /** Gives a key another name wherever it stands. */
    onRename?: (key: string) => void;
  },
) {
  const { label, hint, disabled, value, keyLabel, textsOnly, onCommit, onRename } = props;
  const [fresh, setFresh] = useState("");
  const put = (key: string, item: Json | undefined) => {
    const changed = { ...value };
    if (item === undefined) delete changed[key];
    else changed[key] = item;
    onCommit(Object.keys(changed).length > 0 ? changed : undefined);
  };
  const add = () => {
    const key = fresh.trim();
    if (key === "" || Object.hasOwn(value, key)) return;
    put(key, "");
    setFresh("");
  };
  return (
    <fieldset className={styles.rows}>
      <legend>{label}</legend>
      {hint && <p className={styles.hint}>{hint}</p>}
      {Object.entries(value).map(([key, item]) => (
        <div key={key} className={styles.row}>
          <span className={styles.key}>
            <code title={key}>{key}</code>
            {onRename && (
              <button
                type="button"
                aria-label={`Rename ${key}`}
                title="Rename it everywhere"
                disabled={disabled}
                onClick={() => onRename(key)}
              >
                <Pencil size={11} aria-hidden />
              </button>
            )}
          </span>
          <Cell
            label={`${label}: ${key}`}
            value={item}
            disabled={disabled}
            textsOnly={textsOnly === true}
            onCommit={(next) => put(key, next)}
          />
          <IconButton
            icon={X}
            label={`Remove ${key}`}
            disabled={disabled}
            onClick={() => put(key, undefined)}
          />
        </div>
      ))}
      <div className={styles.add}>
        <input
          className={styles.cell}
          aria-label={`${label}: ${keyLabel}`}
          placeholder={keyLabel}
          value={fresh}
          disabled={disabled}
          onChange={(event) => setFresh(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            add();
          }}
        />
        <IconButton icon={Plus} label={`Add to ${label}`} disabled={disabled} onClick={add} />
      </div>
    </fieldset>
  );
}

function Cell(props: {
  label: string;
  value: Json;
  disabled?: boolean | undefined;
  textsOnly: boolean;
  onCommit: (value: Json) => void;
}) {
  const { label, value, disabled, textsOnly, onCommit } = props;
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  const field = useTyped(
    shown,
    (text) => text !== shown && onCommit(textsOnly ? text : meant(text)),
  );
  return (
    <input
      className={`${styles.cell} mono`}
      aria-label={label}
      value={field.value}
      disabled={disabled}
      spellCheck={false}
      onChange={(event) => field.type(event.target.value)}
      onBlur={field.leave}
      onKeyDown={(event) => event.key === "Enter" && field.leave()}
    />
  );
}

/** What a text in a cell stands for: numbers, truth, lists and maps are themselves, all else is a text. */
export function meant(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "string") return value as Json;
  } catch {
    // A text.
  }
  return text;
}

export function mapValue(value: Json | undefined): JsonMap {
  return isMapValue(value) ? value : {};
}
