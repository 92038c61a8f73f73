import { ChevronDown, Search, ShieldCheck } from "lucide-react";
import { memo, useState } from "react";
import { PLUGIN_TYPE } from "../canvas/canvas";
import { CATEGORIES, inOrder, kindOf } from "../canvas/look";
import { type Plugin, useBench } from "../state/bench";
import styles from "./palette.module.css";

export interface PaletteProps {
  /** Where there is no canvas to drag to, a tap adds a task, and this is called. */
  onAdded?: () => void;
}

/** All plugins, to be dragged onto the canvas. */
export const Palette = memo(function Palette({ onAdded }: PaletteProps) {
  const { plugins, addTask } = useBench();
  const add = (name: string) => {
    addTask(name);
    onAdded?.();
  };
  const [sought, setSought] = useState("");
  const found = inOrder(plugins).filter((plugin) => matches(plugin, sought.trim().toLowerCase()));
  return (
    <section className={styles.palette} aria-label="Palette">
      <div className={styles.search}>
        <Search size={15} aria-hidden />
        <input
          type="search"
          placeholder="Search plugins"
          aria-label="Search plugins"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
      </div>
      {CATEGORIES.map((category) => (
        <Category
          key={category}
          name={category}
          tap={onAdded !== undefined}
          onAdd={add}
          plugins={found.filter(({ name }) => kindOf(name).category === category)}
        />
      ))}
      {found.length === 0 && plugins.length > 0 && (
        <p className={styles.none}>No plugin is called “{sought}”.</p>
      )}
    </section>
  );
});

function matches({ name, outputs }: Plugin, sought: string): boolean {
  const words = [name, kindOf(name).about, kindOf(name).category, ...outputs];
  return words.some((word) => word.toLowerCase().includes(sought));
}

interface Adding {
  /** Whether a single click adds. */
  tap: boolean;
  onAdd: (name: string) => void;
}

function Category(props: { name: string; plugins: readonly Plugin[] } & Adding) {
  const { name, plugins, ...adding } = props;
  if (plugins.length === 0) return null;
  return (
    <details className={styles.category} open>
      <summary>
        {name}
        <ChevronDown size={15} aria-hidden />
      </summary>
      <ul>
        {plugins.map((plugin) => (
          <li key={plugin.name}>
            <Item plugin={plugin} {...adding} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Item({ plugin, tap, onAdd }: { plugin: Plugin } & Adding) {
  const { sound } = useBench();
  const { icon: Icon, about } = kindOf(plugin.name);
  const emits = plugin.outputs.filter((name) => !name.endsWith("?"));
  const needs = plugin.permissions.join(", ");
  return (
    <button
      type="button"
      className={styles.item}
      draggable={sound}
      disabled={!sound}
      title={`${about}${emits.length > 0 ? `; sets ${emits.join(", ")}` : ""}. Drag it, double-click it, or press Enter.`}
      onDragStart={(event) => {
        event.dataTransfer.setData(PLUGIN_TYPE, plugin.name);
        event.dataTransfer.effectAllowed = "copy";
      }}
      onClick={() => tap && onAdd(plugin.name)}
      onDoubleClick={() => !tap && onAdd(plugin.name)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onAdd(plugin.name);
      }}
    >
      <span className={styles.icon}>
        <Icon size={17} aria-hidden />
      </span>
      <span className={styles.words}>
        <strong>{plugin.name}</strong>
        <span>{about}</span>
      </span>
      {needs && <ShieldCheck size={14} role="img" aria-label={`May ask for ${needs}`} />}
    </button>
  );
}
