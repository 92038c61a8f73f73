import { useQuery } from "@tanstack/react-query";
import { api, data } from "../../api/client";
import { Check, Select, TextField } from "../../kit/field";
import { Failure, Loading } from "../../kit/states";
import { covers, toggled } from "./spec";
import styles from "./webhooks.module.css";

/** The choices that most people want. */
const USUAL = {
  all: [],
  ends: ["run.finished"],
  runs: ["run.*"],
} as const;
const LABELS = {
  all: "All events",
  ends: "The end of runs",
  runs: "All that happens to runs as a whole",
  chosen: "Those chosen here",
} as const;
type Usual = keyof typeof LABELS;

interface TypesProps {
  of: readonly string[];
  /** Whether they are chosen one by one. */
  open: boolean;
  onChange: (types: readonly string[], open: boolean) => void;
}

/** Which events are posted. */
export function Types({ of, open, onChange }: TypesProps) {
  const choose = (name: Usual) => {
    if (name === "chosen") onChange(of, true);
    else onChange(USUAL[name], false);
  };
  return (
    <>
      <Select
        label="Events that are posted"
        value={open ? "chosen" : usualOf(of)}
        onChange={(event) => choose(event.target.value as Usual)}
      >
        {Object.entries(LABELS).map(([name, label]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </Select>
      {open && <Chosen of={of} onChange={(types) => onChange(types, true)} />}
    </>
  );
}

/** The usual choice that these types are. */
export function usualOf(types: readonly string[]): Usual {
  const text = types.join();
  const names = Object.keys(USUAL) as (keyof typeof USUAL)[];
  return names.find((name) => USUAL[name].join() === text) ?? "chosen";
}

interface ChosenProps {
  of: readonly string[];
  onChange: (types: string[]) => void;
}

function Chosen({ of, onChange }: ChosenProps) {
  const catalog = useQuery({
    queryKey: ["events", "catalog"],
    queryFn: () => data(api.GET("/api/v1/events/catalog")),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (catalog.error) return <Failure error={catalog.error} />;
  if (!catalog.data) return <Loading what="the types of events" />;
  const known = catalog.data.types.map(({ type }) => type);
  const families = [...new Set(known.filter((it) => it.includes(".")).map(familyOf))];
  const listed = [...families, ...known];
  const own = of.filter((it) => !listed.includes(it));
  return (
    <>
      {families.map((family) => (
        <fieldset key={family} className={styles.types}>
          <legend>{family === "run.*" ? "Runs" : family === "task.*" ? "Tasks" : family}</legend>
          {[family, ...known.filter((it) => covers(family, it))].map((type) => (
            <Check
              key={type}
              label={type === family ? "all of these" : wordOf(type)}
              aria-label={type}
              checked={of.includes(type) || of.some((it) => covers(it, type))}
              disabled={of.some((it) => covers(it, type))}
              onChange={(event) => onChange(toggled(of, type, event.target.checked))}
            />
          ))}
        </fieldset>
      ))}
      <TextField
        label="Events of workflows"
        placeholder="order.placed, order.*"
        hint="Names that tasks announce, with commas; custom is all of them"
        defaultValue={own.join(", ")}
        onChange={(event) => {
          const names = event.target.value.split(/[\s,]+/).filter(Boolean);
          onChange([...of.filter((it) => listed.includes(it) && it !== "custom"), ...names]);
        }}
      />
    </>
  );
}

function wordOf(type: string): string {
  return type.slice(type.indexOf(".") + 1).replaceAll("_", " ");
}

function familyOf(type: string): string {
  return `${type.slice(0, type.indexOf("."))}.*`;
}
