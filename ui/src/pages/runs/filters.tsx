import { Search, SlidersHorizontal, X } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { useNamespaces } from "../../api/lists";
import { useAddress } from "../../kit/address";
import { Button } from "../../kit/button";
import { Select, TextField } from "../../kit/field";
import { filtersIn, PERIODS } from "./filter";
import styles from "./runs.module.css";

/** A while without a key before what was typed is looked for. */
const REST_MS = 300;

/** What runs are looked for, kept in the address. */
export function Filters() {
  const [params, change] = useAddress();
  const [open, setOpen] = useState(false);
  const count = filtersIn(params) - (params.get("text") ? 1 : 0);
  return (
    <div className={styles.filters}>
      <div className={styles.searchRow}>
        <SearchField />
        <select
          className={styles.period}
          aria-label="Time"
          value={params.get("since") ?? ""}
          onChange={(event) =>
            change({ since: event.target.value || undefined, from: undefined, until: undefined })
          }
        >
          <option value="">Any time</option>
          {Object.entries(PERIODS).map(([name, { label }]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
        <Button icon={SlidersHorizontal} aria-expanded={open} onClick={() => setOpen(!open)}>
          {count > 0 ? `Filters (${count})` : "Filters"}
        </Button>
      </div>
      {open && <More />}
      <Chosen />
    </div>
  );
}

function SearchField() {
  const [params, change] = useAddress();
  const said = params.get("text") ?? "";
  const [text, setText] = useState(said);
  useEffect(() => setText(said), [said]);
  useEffect(() => {
    if (text === said) return;
    const timer = setTimeout(() => change({ text: text || undefined }), REST_MS);
    return () => clearTimeout(timer);
  }, [text, said, change]);
  return (
    <div className={styles.search}>
      <Search size={16} aria-hidden />
      <input
        type="search"
        aria-label="Search runs"
        placeholder="Workflow, identity, tag, annotation, initiator…"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}

function More() {
  const [params, change] = useAddress();
  const namespaces = useNamespaces();
  return (
    <div className={styles.more}>
      <One name="workflow" label="Workflow" />
      <Select
        label="Namespace"
        value={params.get("namespace") ?? ""}
        onChange={(event) => change({ namespace: event.target.value || undefined })}
      >
        <option value="">All</option>
        {namespaces.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <One name="initiator" label="Started by" />
      <Several name="tag" label="Tag" hint="Enter adds it; runs have all of them." />
      <Several name="annotation" label="Annotation" hint="KEY or KEY=VALUE" />
      <Moment name="from" label="Accepted from" />
      <Moment name="until" label="Accepted before" />
    </div>
  );
}

/** A field whose value goes into the address when it is left, or by Enter. */
function One({ name, label }: { name: string; label: string }) {
  const [params, change] = useAddress();
  const said = params.get(name) ?? "";
  const [text, setText] = useState(said);
  useEffect(() => setText(said), [said]);
  const take = (event?: FormEvent) => {
    event?.preventDefault();
    if (text !== said) change({ [name]: text || undefined });
  };
  return (
    <form onSubmit={take}>
      <TextField
        label={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => take()}
      />
    </form>
  );
}

function Several({ name, label, hint }: { name: string; label: string; hint: string }) {
  const [params, change] = useAddress();
  const [text, setText] = useState("");
  const take = (event: FormEvent) => {
    event.preventDefault();
    const value = text.trim();
    if (value !== "") change({ [name]: [...new Set([...params.getAll(name), value])] });
    setText("");
  };
  return (
    <form onSubmit={take}>
      <TextField
        label={label}
        hint={hint}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </form>
  );
}

function Moment({ name, label }: { name: string; label: string }) {
  const [params, change] = useAddress();
  return (
    <TextField
      label={label}
      type="datetime-local"
      value={params.get(name) ?? ""}
      onChange={(event) => change({ [name]: event.target.value || undefined, since: undefined })}
    />
  );
}

const NAMES: Record<string, string> = {
  workflow: "workflow",
  namespace: "namespace",
  initiator: "started by",
  tag: "tag",
  annotation: "annotation",
  from: "from",
  until: "before",
};

/** The filters that are set, each with the way to take it away. */
function Chosen() {
  const [params, change] = useAddress();
  const set = [...params].filter(([name]) => name in NAMES);
  if (set.length === 0) return null;
  const drop = (name: string, value: string) =>
    change({ [name]: params.getAll(name).filter((other) => other !== value) });
  return (
    <ul className={styles.chosen} aria-label="Filters that are set">
      {set.map(([name, value]) => (
        <li key={`${name}=${value}`}>
          <span>
            {NAMES[name]} <strong>{value}</strong>
          </span>
          <button
            type="button"
            aria-label={`Take ${NAMES[name]} ${value} away`}
            onClick={() => drop(name, value)}
          >
            <X size={14} aria-hidden />
          </button>
        </li>
      ))}
    </ul>
  );
}
