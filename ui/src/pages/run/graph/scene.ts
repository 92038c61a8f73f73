/** What the graph shows: tasks, and groups of tasks of a level that look alike. */

import { type Link, levelsOf, type Picture } from "../definition";
import { groupSize, knotSize, type Measures, taskSize } from "./size";

export interface SceneNode {
  id: string;
  kind: "task" | "group" | "knot";
  label: string;
  /** The tasks that it stands for; none for a knot. */
  tasks: string[];
  level: number;
  width: number;
  height: number;
}

export interface SceneLink {
  from: string;
  to: string;
  variables: string[];
  order: boolean;
}

export interface Scene {
  nodes: SceneNode[];
  links: SceneLink[];
  /** Groups there could be, closed or open. */
  groups: string[];
}

/** Tasks up to which nothing is grouped by itself. */
export const GROUPED_FROM = 60;
/** Tasks that look alike before they make a group. */
const GROUP_LEAST = 6;

export interface SceneTask {
  name: string;
  plugin: string;
  /** How many signs stand behind its name. */
  signs: number;
}

/** Arranges tasks in nodes. Those in `open` groups stand for themselves. */
export function sceneOf(
  tasks: SceneTask[],
  picture: Picture,
  isOpen: (group: string) => boolean,
  measure: Measures,
): Scene {
  const names = tasks.map((task) => task.name);
  const ids = [...names, ...picture.knots.map((knot) => knot.id)];
  const levels = levelsOf(ids, picture.links);
  const groups =
    tasks.length > GROUPED_FROM ? groupsOf(tasks, levels) : new Map<string, string[]>();
  const home = new Map<string, string>();
  const nodes: SceneNode[] = [];
  for (const [id, members] of groups) {
    if (isOpen(id)) continue;
    for (const name of members) home.set(name, id);
    const level = levels.get(members[0] ?? "") ?? 0;
    const label = stem(members[0] ?? "");
    const size = groupSize(label, measure);
    nodes.push({ id, kind: "group", label, tasks: members, level, ...size });
  }
  for (const { name, signs } of tasks) {
    if (home.has(name)) continue;
    const level = levels.get(name) ?? 0;
    const size = taskSize(name, signs, measure);
    nodes.push({ id: name, kind: "task", label: name, tasks: [name], level, ...size });
  }
  for (const { id, variable: label } of picture.knots) {
    const level = levels.get(id) ?? 0;
    nodes.push({ id, kind: "knot", label, tasks: [], level, ...knotSize(label, measure) });
  }
  return { nodes, links: merged(picture.links, home), groups: [...groups.keys()] };
}

function groupsOf(tasks: readonly SceneTask[], levels: Map<string, number>): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { name, plugin } of tasks) {
    const id = `group:${levels.get(name) ?? 0}:${plugin}:${stem(name)}`;
    const members = all.get(id);
    if (members) members.push(name);
    else all.set(id, [name]);
  }
  for (const [id, members] of all) if (members.length < GROUP_LEAST) all.delete(id);
  return all;
}

/** A name without what counts at its end: `mDiffFit_00004001` is `mDiffFit`. */
export function stem(name: string): string {
  let end = name.length;
  while (end > 0 && isCount(name.charCodeAt(end - 1))) end -= 1;
  if (end < name.length && name.endsWith("ID", end)) end -= 2;
  while (end > 0 && "_-. ".includes(name.charAt(end - 1))) end -= 1;
  return name.slice(0, end) || name;
}

function isCount(code: number): boolean {
  return code >= 48 && code <= 57;
}

function merged(links: Link[], home: Map<string, string>): SceneLink[] {
  const all = new Map<string, SceneLink>();
  for (const link of links) {
    const from = home.get(link.from) ?? link.from;
    const to = home.get(link.to) ?? link.to;
    if (from === to) continue;
    const key = `${from}\n${to}`;
    const known = all.get(key);
    if (!known) all.set(key, { from, to, variables: [...link.variables], order: link.order });
    else {
      known.order &&= link.order;
      if (known.variables.length < VARIABLES_KEPT) known.variables.push(...link.variables);
    }
  }
  return [...all.values()];
}

/** Names of variables that a merged arrow keeps. */
const VARIABLES_KEPT = 20;
