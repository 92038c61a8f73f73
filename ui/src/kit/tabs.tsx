import { type KeyboardEvent, type ReactNode, useId } from "react";
import styles from "./kit.module.css";

export interface TabItem<Name extends string> {
  name: Name;
  label: ReactNode;
}

/** Several views of one thing, of which one is shown. Arrow keys go from one to the next. */
export function Tabs<Name extends string>(props: {
  label: string;
  items: TabItem<Name>[];
  current: Name;
  onChoose: (name: Name) => void;
  children: ReactNode;
}) {
  const { label, items, current, onChoose, children } = props;
  const id = useId();
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = items.findIndex((item) => item.name === current);
    const next = items[(at + step + items.length) % items.length];
    if (!next) return;
    onChoose(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <>
      <div className={styles.tabs} role="tablist" aria-label={label} onKeyDown={move}>
        {items.map((item) => (
          <button
            key={item.name}
            id={`${id}-${item.name}`}
            type="button"
            role="tab"
            className={styles.tab}
            aria-selected={item.name === current}
            aria-controls={`${id}-panel`}
            tabIndex={item.name === current ? 0 : -1}
            onClick={() => onChoose(item.name)}
          >
            {item.label}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${current}`}>
        {children}
      </div>
    </>
  );
}
