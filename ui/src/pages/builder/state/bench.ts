/** What the parts of the builder share. */

import { createContext, useContext } from "react";
import { useSearchParams } from "react-router";
import type { Schema } from "../../../api/client";
import type { Task } from "../document/view";
import type { LiveRun } from "../run/live";
import type { Problem } from "./problems";
import type { Work } from "./use-document";

export type Plugin = Schema<"PluginView">;

export interface Bench extends Work {
  plugins: readonly Plugin[];
  problems: readonly Problem[];
  /** The tasks and links that are selected, by their ids. */
  selected: Selection;
  /** Selects, and brings into view where that is asked for. */
  select: (tasks: readonly string[], show?: boolean) => void;
  /** Whether the text can be read, so that the canvas can change it. */
  sound: boolean;
  /** The run of this workflow that is being watched. */
  live: LiveRun | undefined;
  /** Shows a line of the text. */
  goToLine: (line: number, column?: number) => void;
  /** Gives a task another name, and its place on the canvas with it. */
  rename: (task: Task, name: string) => void;
  /** Asks for another name for one of these variables. */
  askName: (variables: readonly string[]) => void;
  /** Adds a task of a plugin, at a place of the canvas if one is given. */
  addTask: (plugin: string, at?: { x: number; y: number }) => void;
  removeTasks: (ids: readonly string[]) => void;
}

export interface Selection {
  tasks: readonly string[];
  links: readonly string[];
}

export const NOTHING: Selection = { tasks: [], links: [] };

/** The task that the address names, when somebody is sent here to work on it. */
export function useAskedTask(): Selection {
  const [query] = useSearchParams();
  const task = query.get("task");
  return task === null ? NOTHING : { tasks: [task], links: [] };
}

const Context = createContext<Bench | null>(null);

export const BenchProvider = Context.Provider;

export function useBench(): Bench {
  const bench = useContext(Context);
  if (!bench) throw new Error("there is no bench around this");
  return bench;
}
