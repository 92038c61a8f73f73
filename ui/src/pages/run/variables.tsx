import { useVirtualizer } from "@tanstack/react-virtual";
import { Braces, ChevronDown, ChevronRight, KeyRound } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useAddress } from "../../kit/address";
import { Scroll } from "../../kit/scroll";
import { Empty } from "../../kit/states";
import { When } from "../../kit/time";
import styles from "./lists.module.css";
import type { Variable } from "./model/state";
import { useRevision, useWatched } from "./use-live";
import { prettyValue, shownValue } from "./values";
import { counted } from "./words";

const ROW = 38;

/** The run's variables: what they are, who set them, and when. */
export default function Variables({ onSelect }: { onSelect: (task: string) => void }) {
  const { live } = useWatched();
  const [params, change] = useAddress();
  const revision = useRevision(live, 500);
  const sought = params.get("find") ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: the model changes in place
  const variables = useMemo(() => {
    const small = sought.toLowerCase();
    return live.model.variables
      .filter(({ name, set_by }) => `${name}\n${set_by ?? ""}`.toLowerCase().includes(small))
      .sort((a, b) => a.name.localeCompare(b.name));
  }, [live, revision, sought]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const box = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: variables.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    getItemKey: (at) => variables[at]?.name ?? at,
    overscan: 10,
  });
  const toggle = (name: string) => {
    const next = new Set(open);
    if (!next.delete(name)) next.add(name);
    setOpen(next);
  };
  return (
    <div className={styles.list}>
      <div className={styles.tools}>
        <input
          type="search"
          className={styles.find}
          aria-label="Find variables by name or by task"
          placeholder="Name or task"
          value={sought}
          onChange={(event) => change({ find: event.target.value || undefined })}
        />
        <span role="status">{counted(variables.length, "variable")}</span>
      </div>
      {variables.length === 0 ? (
        <Empty icon={Braces} title={sought ? "No variable has this" : "No variable is set yet"}>
          <p>Variables appear here as tasks set them.</p>
        </Empty>
      ) : (
        <Scroll ref={box} className={styles.box} label="Variables">
          <ul style={{ height: rows.getTotalSize(), position: "relative" }}>
            {rows.getVirtualItems().map((row) => {
              const variable = variables[row.index];
              return (
                variable && (
                  <li
                    key={row.key}
                    ref={rows.measureElement}
                    data-index={row.index}
                    className={styles.item}
                    style={{ transform: `translateY(${row.start}px)` }}
                  >
                    <Row
                      variable={variable}
                      open={open.has(variable.name)}
                      onToggle={() => toggle(variable.name)}
                      onSelect={onSelect}
                    />
                  </li>
                )
              );
            })}
          </ul>
        </Scroll>
      )}
    </div>
  );
}

interface RowProps {
  variable: Variable;
  open: boolean;
  onToggle: () => void;
  onSelect: (task: string) => void;
}

function Row({ variable, open, onToggle, onSelect }: RowProps) {
  const { name, value, secret, set_by, at } = variable;
  const Sign = open ? ChevronDown : ChevronRight;
  return (
    <>
      <div className={styles.variable}>
        <button type="button" className={styles.fold} aria-expanded={open} onClick={onToggle}>
          <Sign size={15} aria-hidden />
          <code className={styles.name}>{name}</code>
          {secret ? (
            <span className={styles.secret}>
              <KeyRound size={13} aria-hidden /> *** secret
            </span>
          ) : (
            <code className={styles.short}>{shownValue(value).slice(0, 300)}</code>
          )}
        </button>
        <span className={styles.by}>
          {set_by ? (
            <button type="button" className={styles.link} onClick={() => onSelect(set_by)}>
              {set_by}
            </button>
          ) : (
            "at the start"
          )}
        </span>
        <span className={styles.when}>
          <When at={at} />
        </span>
      </div>
      {open && (
        <Scroll label={`Value of ${name}`} className={styles.value}>
          <pre>{secret ? "***" : prettyValue(value)}</pre>
        </Scroll>
      )}
    </>
  );
}
