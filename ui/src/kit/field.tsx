import type {
  InputHTMLAttributes,
  ReactNode,
  SelectHTMLAttributes,
  TextareaHTMLAttributes,
} from "react";
import { useId } from "react";
import styles from "./kit.module.css";

interface About {
  label: string;
  hint?: ReactNode;
  /** What is wrong with what stands in it. */
  wrong?: string | undefined;
}

interface Control {
  id: string;
  className: string | undefined;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

/** A control with its label, a hint and what is wrong with it. */
export function Field(props: About & { children: (control: Control) => ReactNode }) {
  const { label, hint, wrong, children } = props;
  const id = useId();
  const about = wrong || hint ? `${id}-about` : undefined;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        className: styles.input,
        "aria-invalid": wrong !== undefined,
        "aria-describedby": about,
      })}
      {wrong ? (
        <span id={about} className={styles.wrong}>
          {wrong}
        </span>
      ) : (
        hint && (
          <span id={about} className={styles.hint}>
            {hint}
          </span>
        )
      )}
    </div>
  );
}

export function TextField({
  label,
  hint,
  wrong,
  ...rest
}: About & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(control) => <input type="text" spellCheck={false} {...rest} {...control} />}
    </Field>
  );
}

export function TextArea({
  label,
  hint,
  wrong,
  ...rest
}: About & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(control) => <textarea spellCheck={false} {...rest} {...control} />}
    </Field>
  );
}

export function Select({
  label,
  hint,
  wrong,
  children,
  ...rest
}: About & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Field label={label} hint={hint} wrong={wrong}>
      {(control) => (
        <select {...rest} {...control}>
          {children}
        </select>
      )}
    </Field>
  );
}

/** A box to tick. */
export function Check({
  label,
  ...rest
}: { label: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className={styles.check}>
      <input type="checkbox" {...rest} />
      {label}
    </label>
  );
}
