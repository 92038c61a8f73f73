/** Which part of the canvas is in sight, and how to bring another into it. */

import { getViewportForBounds, type Viewport } from "@xyflow/react";
import { sightOf, type View } from "../../run/graph/paint";
import { type Box, meet } from "../../run/graph/place";
import { type Place, SIZE } from "./places";
import type { TaskFlowNode } from "./task-node";

/** Tasks in sight beyond which they are drawn on one canvas rather than as elements of the page. */
export const NEAR_MOST = 60;

export function boxOf({ x, y }: Place): Box {
  return { x, y, ...SIZE };
}

/** Whether more tasks are in sight than can be elements of the page. */
export function isCrowded(nodes: readonly TaskFlowNode[], view: View): boolean {
  if (nodes.length <= NEAR_MOST) return false;
  const sight = sightOf(view);
  let seen = 0;
  for (const { position } of nodes) {
    if (meet(boxOf(position), sight)) seen += 1;
    if (seen > NEAR_MOST) return true;
  }
  return false;
}

/** The task that stands at a place; the last drawn of several. */
export function taskAt(nodes: readonly TaskFlowNode[], at: Place): TaskFlowNode | undefined {
  const point = { ...at, width: 0, height: 0 };
  return nodes.findLast(({ position }) => meet(boxOf(position), point));
}

/** The box around some places. */
export function around(places: readonly Place[]): Box | undefined {
  if (places.length === 0) return undefined;
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return {
    x,
    y,
    width: Math.max(...xs) - x + SIZE.width,
    height: Math.max(...ys) - y + SIZE.height,
  };
}

export interface Fit {
  padding: number;
  least: number;
  most: number;
}

/** The view that shows all of some places. */
export function fitted(
  places: readonly Place[],
  room: { width: number; height: number },
  { padding, least, most }: Fit,
): Viewport | undefined {
  const box = around(places);
  if (!box || room.width === 0 || room.height === 0) return undefined;
  return getViewportForBounds(box, room.width, room.height, least, most, padding);
}
