/** Where tasks and what leads from one to the other stand in the small picture of a workflow. */

import type { Schema } from "../../api/client";
import { cutTo, type Measure } from "../../graph/measure";

/** Nodes are as wide as the longest name of their level wants, within reason. */
const NODE = { least: 110, most: 270, height: 44, padding: 12 };
const GAP = { across: 64, down: 18 };

export interface Picture {
  width: number;
  height: number;
  nodes: ({ name: string; label: string; plugin: string } & Box)[];
  edges: { key: string; path: string; order: boolean; label: string }[];
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Levels side by side, each centred; within one, tasks stand near those that they wait for. */
export function pictureOf(graph: Schema<"GraphView">, measure: Measure): Picture {
  const plugins = new Map(graph.nodes.map(({ name, plugin }) => [name, plugin]));
  const before = new Map<string, string[]>();
  for (const { from, to } of graph.edges) before.set(to, [...(before.get(to) ?? []), from]);
  const tallest = Math.max(1, ...graph.levels.map((level) => level.length));
  const height = tallest * (NODE.height + GAP.down) - GAP.down;
  const places = new Map<string, Box>();
  let x = 0;
  for (const level of graph.levels) {
    const width = widthOf(level, measure);
    const left = x;
    const wish = (name: string) => {
      const ys = (before.get(name) ?? []).flatMap((from) => places.get(from)?.y ?? []);
      return ys.length === 0 ? 0 : ys.reduce((sum, y) => sum + y, 0) / ys.length;
    };
    const sorted = level.map((name, index) => ({ name, index, wish: wish(name) }));
    sorted.sort((a, b) => a.wish - b.wish || a.index - b.index);
    const tall = level.length * (NODE.height + GAP.down) - GAP.down;
    sorted.forEach(({ name }, row) => {
      const y = (height - tall) / 2 + row * (NODE.height + GAP.down);
      places.set(name, { x: left, y, width, height: NODE.height });
    });
    x += width + GAP.across;
  }
  return {
    width: Math.max(0, x - GAP.across),
    height,
    nodes: [...places].map(([name, place]) => ({
      name,
      label: cutTo(place.width - 2 * NODE.padding, name, measure),
      plugin: plugins.get(name) ?? "",
      ...place,
    })),
    edges: graph.edges.flatMap(({ from, to, order, variables }) => {
      const [a, b] = [places.get(from), places.get(to)];
      if (!a || !b) return [];
      return {
        key: `${from}\n${to}`,
        path: curve(a, b),
        order,
        label: variables.join(", "),
      };
    }),
  };
}

function widthOf(level: readonly string[], measure: Measure): number {
  const longest = Math.max(0, ...level.map(measure));
  return Math.min(NODE.most, Math.max(NODE.least, Math.ceil(longest) + 2 * NODE.padding));
}

function curve(a: Box, b: Box): string {
  const [x1, y1] = [a.x + a.width, a.y + a.height / 2];
  const [x2, y2] = [b.x, b.y + b.height / 2];
  const bend = Math.max(GAP.across / 2, (x2 - x1) / 2);
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2 - 5},${y2}`;
}
