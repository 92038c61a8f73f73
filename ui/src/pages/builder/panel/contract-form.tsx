import { Plus, X } from "lucide-react";
import { useState } from "react";
import { IconButton } from "../../../kit/button";
import type { Json, JsonMap } from "../document/json";
import { limitsOf, type Row, rowsOf, TYPES, withRow, withType } from "./contract";
import {
  CheckValue,
  ChoiceValue,
  meant,
  NamesValue,
  NumberValue,
  TextValue,
  YamlValue,
} from "./fields";
import styles from "./panel.module.css";

export interface ContractProps {
  label: string;
  hint: string;
  value: Json | undefined;
  /** Names that have a row before anything is said of them. */
  known: readonly string[];
  /** Whether others may be named. */
  open: boolean;
  disabled: boolean;
  onCommit: (value: Json | undefined) => void;
}

/** What an object has to be like: a row for each of its members. What rows cannot say is YAML. */
export function ContractForm(props: ContractProps) {
  const { label, hint, value, known, open, disabled, onCommit } = props;
  const rows = rowsOf(value, known);
  if (!rows)
    return <YamlValue {...{ label, value, disabled, onCommit }} hint={`${hint} A JSON Schema.`} />;
  return (
    <fieldset className={styles.rows}>
      <legend>{label}</legend>
      <p className={styles.hint}>{hint}</p>
      {rows.map((row) => (
        <Member
          key={row.name}
          label={label}
          row={row}
          removable={!known.includes(row.name)}
          disabled={disabled}
          onRow={(next) => onCommit(withRow(value, row.name, next))}
        />
      ))}
      {rows.length === 0 && !open && <p className={styles.hint}>The task declares no outputs.</p>}
      {open && (
        <Another
          label={label}
          disabled={disabled}
          onAdd={(name) => onCommit(withRow(value, name, { required: true, schema: {} }))}
        />
      )}
    </fieldset>
  );
}

function Another(props: { label: string; disabled: boolean; onAdd: (name: string) => void }) {
  const { label, disabled, onAdd } = props;
  const [name, setName] = useState("");
  const add = () => {
    if (name.trim() !== "") onAdd(name.trim());
    setName("");
  };
  return (
    <div className={styles.add}>
      <input
        className={styles.cell}
        aria-label={`${label}: new member`}
        placeholder="New member"
        value={name}
        disabled={disabled}
        spellCheck={false}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add();
        }}
      />
      <IconButton icon={Plus} label={`Add to ${label}`} disabled={disabled} onClick={add} />
    </div>
  );
}

interface MemberProps {
  label: string;
  row: Row;
  removable: boolean;
  disabled: boolean;
  onRow: (row: { required: boolean; schema: JsonMap | undefined }) => void;
}

function Member({ label, row, removable, disabled, onRow }: MemberProps) {
  const { name, required, schema, others } = row;
  const put = (next: JsonMap) => onRow({ required, schema: next });
  const type = typeof schema.type === "string" ? schema.type : undefined;
  return (
    <fieldset className={styles.card} aria-label={`${label}: ${name}`}>
      <div className={styles.cardHead}>
        <code title={name}>{name}</code>
        {removable && (
          <IconButton
            icon={X}
            label={`Remove ${name}`}
            disabled={disabled}
            onClick={() => onRow({ required: false, schema: undefined })}
          />
        )}
      </div>
      <div className={styles.two}>
        <ChoiceValue
          label="Type"
          value={type}
          choices={TYPES}
          unset={others.includes("type") ? "several" : "any"}
          disabled={disabled}
          onCommit={(next) => put(withType(schema, next))}
        />
        <CheckValue
          label="Must be there"
          value={required}
          fallback={false}
          disabled={disabled}
          onCommit={(on) => onRow({ required: on === true, schema })}
        />
        {limitsOf(schema).map((key) => (
          <Limit
            key={key}
            name={key}
            value={schema[key]}
            disabled={disabled}
            onCommit={(next) => {
              const { [key]: _, ...rest } = schema;
              put(next === undefined ? rest : { ...rest, [key]: next });
            }}
          />
        ))}
      </div>
      {others.length > 0 && (
        <p className={styles.hint}>The text says more of it: {others.join(", ")}.</p>
      )}
    </fieldset>
  );
}

const LABELS: Record<string, string> = {
  minimum: "At least",
  maximum: "At most",
  minLength: "Shortest",
  maxLength: "Longest",
  minItems: "Fewest items",
  maxItems: "Most items",
  pattern: "Pattern",
  enum: "One of",
};

function Limit(props: {
  name: string;
  value: Json | undefined;
  disabled: boolean;
  onCommit: (value: Json | undefined) => void;
}) {
  const { name, value, disabled, onCommit } = props;
  const label = LABELS[name] ?? name;
  if (name === "enum") {
    const values = Array.isArray(value) ? value : [];
    return (
      <div className={styles.whole}>
        <NamesValue
          label={label}
          value={values.map((item) => (typeof item === "string" ? item : JSON.stringify(item)))}
          placeholder="Add a value"
          disabled={disabled}
          onCommit={(texts) => onCommit(texts?.map(meant))}
        />
      </div>
    );
  }
  if (name === "pattern") {
    return (
      <TextValue
        label={label}
        placeholder="^[a-z]+$"
        value={typeof value === "string" ? value : ""}
        disabled={disabled}
        onCommit={onCommit}
      />
    );
  }
  return <NumberValue {...{ label, value, disabled, onCommit }} placeholder="no limit" />;
}
