/** What is done with the graph: find a task, open and close groups, zoom. */

import { useReactFlow } from "@xyflow/react";
import { FoldVertical, Maximize, Minus, Plus, Search, UnfoldVertical } from "lucide-react";
import { useId, useState } from "react";
import { Button, IconButton } from "../../../kit/button";
import { lookOf } from "../../../kit/tone";
import { useRevision, useWatched } from "../use-live";
import styles from "./graph.module.css";

interface Props {
  onShow: (task: string) => void;
  onFit: () => void;
  /** Somebody looks at a part. */
  onLook: () => void;
  groups: string[];
  open: string[];
  onOpen: (groups: string[]) => void;
}

export function GraphTools({ onShow, onFit, onLook, groups, open, onOpen }: Props) {
  const flow = useReactFlow();
  const zoom = (step: 1 | -1) => {
    onLook();
    void (step > 0 ? flow.zoomIn() : flow.zoomOut());
  };
  return (
    <>
      <div className={styles.finder}>
        <Finder onShow={onShow} />
        {groups.length > 0 &&
          (open.length > 0 ? (
            <Button icon={FoldVertical} onClick={() => onOpen([])}>
              Close groups
            </Button>
          ) : (
            <Button icon={UnfoldVertical} onClick={() => onOpen(["*"])}>
              Open all groups
            </Button>
          ))}
      </div>
      {(groups.length === 0 || open.length > 0) && <CriticalKey />}
      <div className={styles.zoom}>
        <IconButton icon={Plus} label="Nearer" onClick={() => zoom(1)} />
        <IconButton icon={Minus} label="Farther" onClick={() => zoom(-1)} />
        <IconButton icon={Maximize} label="Show all" onClick={onFit} />
      </div>
    </>
  );
}

function CriticalKey() {
  const { live } = useWatched();
  useRevision(live);
  if (!live.model.hasCritical) return null;
  return (
    <p
      className={styles.key}
      title="The tasks one after the other that the run's length comes from"
    >
      <i /> critical path
    </p>
  );
}

/** Found tasks that are offered. */
const FOUND_MOST = 8;

function Finder({ onShow }: { onShow: (task: string) => void }) {
  const { live } = useWatched();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const sought = text.trim().toLowerCase();
  const found: string[] = [];
  if (sought !== "") {
    for (const name of live.model.order) {
      if (name.toLowerCase().includes(sought)) found.push(name);
      if (found.length === FOUND_MOST) break;
    }
  }
  const choose = (name: string | undefined) => {
    if (name === undefined) return;
    onShow(name);
    setText("");
  };
  return (
    <div className={styles.search}>
      <Search size={15} aria-hidden />
      <input
        type="search"
        role="combobox"
        aria-label="Find a task"
        aria-expanded={found.length > 0}
        aria-controls={id}
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
        placeholder="Find a task"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") choose(found[at]);
          if (event.key === "Escape") setText("");
          if (event.key === "ArrowDown") setAt(Math.min(found.length - 1, at + 1));
          if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
        }}
      />
      <div
        id={id}
        role="listbox"
        aria-label="Found tasks"
        className={styles.found}
        hidden={!sought}
      >
        {found.map((name, place) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys
          <div
            key={name}
            id={`${id}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === at}
            onClick={() => choose(name)}
          >
            {name} <small>{lookOf(live.task(name)?.phase ?? "").label}</small>
          </div>
        ))}
        {found.length === 0 && <div className={styles.none}>No task has this in its name.</div>}
      </div>
    </div>
  );
}
