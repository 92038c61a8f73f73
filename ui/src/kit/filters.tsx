/** What narrows a list down, kept in the page's address. */

import { Search } from "lucide-react";
import { type ReactNode, useCallback, useId } from "react";
import { useSearchParams } from "react-router";
import styles from "./filters.module.css";
import kit from "./kit.module.css";

/** One word of the address behind the question mark; what it is by default is not written there. */
export function useAddress(name: string, fallback = ""): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === fallback) after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
    [name, fallback, setParams],
  );
  return [params.get(name) ?? fallback, set];
}

/** A row of filters above a list. */
export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <search aria-label="Filters" className={styles.bar}>
      {children}
    </search>
  );
}

/** Narrows a list down by words. */
export function SearchBox(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <label className={styles.search}>
      <span className="visually-hidden">{props.label}</span>
      <Search size={15} aria-hidden />
      <input
        type="search"
        className={kit.input}
        placeholder={props.label}
        value={props.value}
        spellCheck={false}
        onChange={(event) => props.onChange(event.target.value)}
      />
    </label>
  );
}

/** Narrows a list down to one of several; nothing chosen is all. */
export function Choice(props: {
  label: string;
  /** What stands for all. */
  all: string;
  value: string;
  options: readonly (string | readonly [value: string, label: string])[];
  onChange: (value: string) => void;
}) {
  const id = useId();
  return (
    <span className={styles.choice}>
      <label htmlFor={id}>{props.label}</label>
      <select
        id={id}
        className={kit.input}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      >
        <option value="">{props.all}</option>
        {props.options.map((option) => {
          const [value, label] = typeof option === "string" ? [option, option] : option;
          return (
            <option key={value} value={value}>
              {label}
            </option>
          );
        })}
      </select>
    </span>
  );
}

/** Whether one of these texts has all words of a search. */
export function matches(search: string, ...texts: (string | null | undefined)[]): boolean {
  const whole = texts.join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => whole.includes(word));
}
