import { Plus, X } from "lucide-react";
import { Button, IconButton } from "../../kit/button";
import { Select, TextField } from "../../kit/field";
import kit from "../../kit/kit.module.css";
import type { Draft, Row } from "./spec";
import styles from "./triggers.module.css";

const SOURCES: Record<Draft["kind"], readonly (readonly [Row["from"], string])[]> = {
  request: [
    ["body", "the body"],
    ["header", "a header"],
  ],
  file: [
    ["path", "the path"],
    ["name", "the name"],
    ["size", "the size in bytes"],
    ["modified", "the time it changed"],
  ],
};

/** Which variables are taken from what comes in. */
export function Rows(props: {
  kind: Draft["kind"];
  rows: readonly Row[];
  onChange: (rows: Row[]) => void;
}) {
  const { kind, rows, onChange } = props;
  const sources = SOURCES[kind];
  const change = (at: number, part: Partial<Row>) =>
    onChange(rows.map((row, other) => (other === at ? { ...row, ...part } : row)));
  const add = () =>
    onChange([...rows, { name: "", from: sources[0]?.[0] ?? "body", where: "", optional: false }]);
  return (
    <fieldset className={styles.rows}>
      <legend>Variables from the {kind}</legend>
      {kind === "file" && rows.length === 0 && (
        <p className={kit.hint}>FILE is its path, unless you take others.</p>
      )}
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name before they are named
        <div key={at} className={styles.row}>
          <TextField
            label="Variable"
            required
            pattern="[A-Za-z_][A-Za-z0-9_]*"
            title="Letters, digits and underscores"
            value={row.name}
            onChange={(event) => change(at, { name: event.target.value })}
          />
          <Select
            label="From"
            value={row.from}
            onChange={(event) => change(at, { from: event.target.value as Row["from"] })}
          >
            {sources.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
          {kind === "request" && (
            <TextField
              label={row.from === "body" ? "JSON pointer" : "Header"}
              placeholder={row.from === "body" ? "/ref; empty for all" : "X-Event"}
              required={row.from === "header"}
              value={row.where}
              onChange={(event) => change(at, { where: event.target.value })}
            />
          )}
          <IconButton
            icon={X}
            label="Leave this variable out"
            onClick={() => onChange(rows.filter((_, other) => other !== at))}
          />
        </div>
      ))}
      <div>
        <Button kind="quiet" icon={Plus} onClick={add}>
          Take a variable
        </Button>
      </div>
    </fieldset>
  );
}
