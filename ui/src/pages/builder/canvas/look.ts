/** How tasks look by what they are: icons of plugins, categories of the palette, signs. */

import {
  Box,
  Clock,
  FileClock,
  Filter,
  Flag,
  Globe,
  HardDrive,
  Layers,
  type LucideIcon,
  Play,
  Puzzle,
  RotateCcw,
  ShieldCheck,
  SquareTerminal,
  Timer,
} from "lucide-react";
import type { JsonMap } from "../document/json";
import { mapOf, type Task, textOf, textsOf } from "../document/view";

interface Kind {
  icon: LucideIcon;
  category: string;
  about: string;
}

/** In the order of the palette. */
const KINDS: Record<string, Kind> = {
  start: { icon: Play, category: "Flow", about: "Begins the workflow" },
  end: { icon: Flag, category: "Flow", about: "Waits for all others" },
  noop: { icon: Box, category: "Flow", about: "Sets variables" },
  sleep: { icon: Timer, category: "Flow", about: "Lets time pass" },
  cmd: { icon: SquareTerminal, category: "Commands", about: "Runs a command" },
  http: { icon: Globe, category: "Web", about: "Makes a request" },
  df: { icon: HardDrive, category: "System", about: "Measures a volume" },
  "df-h": { icon: HardDrive, category: "System", about: "Measures a volume" },
  touched: { icon: FileClock, category: "System", about: "Waits for a file" },
};

export const CATEGORIES = ["Flow", "Commands", "Web", "System", "Your plugins"];

export function kindOf(plugin: string): Kind {
  return KINDS[plugin] ?? { icon: Puzzle, category: "Your plugins", about: "A plugin of your own" };
}

/** Plugins as the palette lists them: the built-in ones as people need them, others by name. */
export function inOrder<T extends { name: string }>(plugins: readonly T[]): T[] {
  const names = Object.keys(KINDS);
  const place = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length);
  return plugins.toSorted((a, b) => place(a.name) - place(b.name));
}

export interface Sign {
  icon: LucideIcon;
  label: string;
}

/** What stands in a task's corner: permissions, waiting, items, retries, a condition. */
export function signsOf({ value, plugin }: Pick<Task, "value" | "plugin">): Sign[] {
  const execution = mapOf(value.execution);
  const signs: Sign[] = [];
  const required = textsOf(mapOf(value.permissions).required);
  if (value.requires_auth === true || required.length > 0) {
    const which = required.length > 0 ? `: ${required.join(", ")}` : " of its plugin";
    signs.push({ icon: ShieldCheck, label: `Needs permissions${which}` });
  }
  if (value.when !== undefined)
    signs.push({ icon: Filter, label: `Only when ${String(value.when)}` });
  if (value.for_each !== undefined) {
    const over = typeof value.for_each === "string" ? ` of ${value.for_each}` : "";
    signs.push({ icon: Layers, label: `Once for each item${over}` });
  }
  const attempts = mapOf(value.retry).max_attempts;
  if (typeof attempts === "number" && attempts > 1) {
    signs.push({ icon: RotateCcw, label: `Up to ${attempts} attempts` });
  }
  const clock = clockOf(plugin, execution, mapOf(value.params));
  if (clock) signs.push({ icon: Clock, label: clock });
  return signs;
}

function clockOf(plugin: string, execution: JsonMap, params: JsonMap): string | undefined {
  if (execution.timeout !== undefined) return `At most ${lengthOf(execution.timeout)} an attempt`;
  if (plugin === "touched") return `Waits for ${textOf(params.file) || "a file"}`;
  if (plugin === "sleep") return `Waits ${lengthOf(params.duration)}`;
  return undefined;
}

function lengthOf(value: unknown): string {
  return typeof value === "number" ? `${value} s` : String(value ?? "");
}

/** Whether others of its run may be under way beside a task. */
export function isAsync({ value }: Pick<Task, "value">): boolean {
  return mapOf(value.execution).async !== false;
}
