import { X } from "lucide-react";
import type { Secret } from "../api/secrets";
import { IconButton } from "./button";
import styles from "./change.module.css";
import { TextField } from "./field";
import kit from "./kit.module.css";

/** Asks again for secret variables, since nobody can read them; each may be left out. */
export function Secrets(props: { of: readonly Secret[]; onChange: (secrets: Secret[]) => void }) {
  const { of, onChange } = props;
  if (of.length === 0) return null;
  return (
    <fieldset className={styles.secrets}>
      <legend>Secret variables</legend>
      <p className={kit.hint}>
        They are sealed, and nobody can read them. To save, write them again or leave them out.
      </p>
      {of.map(({ name, value }) => (
        <div key={name} className={styles.secret}>
          <TextField
            label={name}
            type="password"
            autoComplete="off"
            required
            value={value}
            onChange={(event) =>
              onChange(
                of.map((it) => (it.name === name ? { name, value: event.target.value } : it)),
              )
            }
          />
          <IconButton
            icon={X}
            label={`Leave ${name} out`}
            onClick={() => onChange(of.filter((it) => it.name !== name))}
          />
        </div>
      ))}
    </fieldset>
  );
}
