/** Names and what they are, side by side; small things that stand in them. */

import { Check, Copy } from "lucide-react";
import { type ReactNode, useState } from "react";
import { IconButton } from "./button";
import styles from "./facts.module.css";
import { type Tone, toned } from "./tone";

/** A list of facts. */
export function Facts({ items }: { items: readonly (readonly [string, ReactNode] | false)[] }) {
  return (
    <dl className={styles.facts}>
      {items.map(
        (item) =>
          item && (
            <div key={item[0]}>
              <dt>{item[0]}</dt>
              <dd>{item[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** A short label. */
export function Tag({ tone = "waiting", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={styles.tag} style={toned(tone)}>
      {children}
    </span>
  );
}

/** Several labels. */
export function Tags({ of, tone }: { of: readonly string[]; tone?: Tone }) {
  return (
    <span className={styles.tags}>
      {of.map((text) => (
        <Tag key={text} {...(tone && { tone })}>
          {text}
        </Tag>
      ))}
    </span>
  );
}

/** A text to take along, such as a secret that is shown once. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
  };
  return (
    <div className={styles.copyable}>
      <code>{text}</code>
      {/* Browsers let only pages from this machine, or over TLS, write there. */}
      {navigator.clipboard && (
        <IconButton icon={done ? Check : Copy} label={done ? "Copied" : label} onClick={copy} />
      )}
    </div>
  );
}

/** The head of a box: what is in it, and what can be done with it. */
export function CardHead({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <div className={styles.cardHead}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A link that hands on to the next page of a list. */
export function More(props: { more: boolean; busy: boolean; onMore: () => void }) {
  if (!props.more) return null;
  return (
    <div className={styles.more}>
      <button type="button" disabled={props.busy} onClick={props.onMore}>
        {props.busy ? "Loading…" : "Show more"}
      </button>
    </div>
  );
}
