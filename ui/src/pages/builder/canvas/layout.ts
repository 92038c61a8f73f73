/** Lays a graph out from top to bottom, in a worker: what can run side by side stands side by side. */

import { type ElkNode, layouter } from "../../../graph/elk";
import type { Link, Task } from "../document/view";
import { type Place, type Places, SIZE } from "./places";

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.layered.spacing.nodeNodeBetweenLayers": "64",
  "elk.spacing.nodeNode": "40",
  "elk.spacing.componentComponent": "56",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
};

/** Above so many tasks the quick placement is good enough. */
const MANY = 300;

export async function laidOut(tasks: readonly Task[], links: readonly Link[]): Promise<Places> {
  const quick = tasks.length > MANY ? { "elk.layered.thoroughness": "1" } : {};
  const graph = await layouter().layout({
    id: "root",
    layoutOptions: { ...OPTIONS, ...quick },
    children: tasks.map(({ id }) => ({ id, ...SIZE })),
    edges: links.map(({ id, from, to }) => ({ id, sources: [from], targets: [to] })),
  });
  const places: Record<string, Place> = {};
  for (const { id, x = 0, y = 0 } of (graph.children ?? []) as ElkNode[]) {
    places[id] = { x: Math.round(x), y: Math.round(y) };
  }
  return places;
}
