/** Draws a crowd of tasks and their links on one canvas: a page of as many elements would stutter. */

import { lookOf } from "../../../kit/tone";
import { type Colours, sightOf, type View } from "../../run/graph/paint";
import { meet } from "../../run/graph/place";
import type { Link } from "../document/view";
import { boxOf } from "./frame";
import type { LinkFlowEdge } from "./link-edge";
import { type Place, SIZE } from "./places";
import type { TaskFlowNode } from "./task-node";

/** Below this zoom no name can be read: tasks are boxes in the colour of their state. */
export const TINY = 0.22;
const STRIP = 12;
const NAME_MOST = 17;

export interface Crowd {
  nodes: readonly TaskFlowNode[];
  edges: readonly LinkFlowEdge[];
}

export interface Ink {
  colours: Colours;
  text: string;
  font: string;
}

export function paintCrowd(
  context: CanvasRenderingContext2D,
  { nodes, edges }: Crowd,
  view: View,
  ink: Ink,
): void {
  const places = new Map(nodes.map(({ id, position }) => [id, position]));
  paintLinks(context, edges, places, view, ink.colours);
  const sight = sightOf(view);
  const seen = nodes.filter(({ position }) => meet(boxOf(position), sight));
  paintBoxes(context, seen, view, ink.colours);
  if (view.zoom >= TINY) paintNames(context, seen, ink);
}

interface Ends {
  from: Place;
  to: Place;
}

function paintLinks(
  context: CanvasRenderingContext2D,
  edges: readonly LinkFlowEdge[],
  places: ReadonlyMap<string, Place>,
  view: View,
  colours: Colours,
): void {
  const kinds: Record<Link["kind"] | "selected", Ends[]> = {
    variable: [],
    order: [],
    end: [],
    selected: [],
  };
  const sight = sightOf(view);
  for (const { source, target, selected, data } of edges) {
    const from = places.get(source);
    const to = places.get(target);
    if (!from || !to || !data) continue;
    const isOrder = data.link.kind === "order";
    const ends = {
      from: { x: from.x + (isOrder ? SIZE.width - 26 : SIZE.width / 2), y: from.y + SIZE.height },
      to: { x: to.x + SIZE.width / 2, y: to.y },
    };
    const left = Math.min(ends.from.x, ends.to.x);
    const top = Math.min(ends.from.y, ends.to.y);
    const width = Math.abs(ends.from.x - ends.to.x);
    const height = Math.abs(ends.from.y - ends.to.y);
    if (!meet({ x: left, y: top, width, height }, sight)) continue;
    kinds[selected ? "selected" : data.link.kind].push(ends);
  }
  context.lineWidth = Math.max(1.5, Math.min(4, 0.8 / view.zoom));
  stroke(context, kinds.variable, colours.line, []);
  stroke(context, kinds.order, colours.line, [14, 10]);
  stroke(context, kinds.end, colours.line, [3, 9]);
  context.lineWidth *= 1.6;
  stroke(context, kinds.selected, colours.accent, []);
}

function stroke(
  context: CanvasRenderingContext2D,
  links: readonly Ends[],
  colour: string,
  dash: number[],
): void {
  context.strokeStyle = colour;
  context.setLineDash(dash);
  for (const { from, to } of links) {
    const down = to.y - from.y;
    const bend = down >= 0 ? down / 2 : 7.5 * Math.sqrt(-down);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.bezierCurveTo(from.x, from.y + bend, to.x, to.y - bend, to.x, to.y);
    context.stroke();
  }
  context.setLineDash([]);
}

/** Boxes of one colour are one path. */
function paintBoxes(
  context: CanvasRenderingContext2D,
  nodes: readonly TaskFlowNode[],
  { zoom }: View,
  colours: Colours,
): void {
  const tones = new Map<string, TaskFlowNode[]>();
  for (const node of nodes) {
    const tone = toneOf(node, colours);
    const alike = tones.get(tone);
    if (alike) alike.push(node);
    else tones.set(tone, [node]);
  }
  const isTiny = zoom < TINY;
  context.lineWidth = Math.max(1.5, 1 / zoom);
  for (const [tone, alike] of tones) {
    fill(context, alike, isTiny && tone !== colours.line ? tone : colours.surface, SIZE.width);
    if (!isTiny && tone !== colours.line) fill(context, alike, tone, STRIP);
    context.strokeStyle = tone;
    outline(context, alike);
  }
  context.strokeStyle = colours.accent;
  context.lineWidth *= 2.5;
  outline(
    context,
    nodes.filter(({ selected }) => selected),
  );
}

function toneOf({ data }: TaskFlowNode, colours: Colours): string {
  if (data.state) return colours[lookOf(data.state).tone];
  if (!data.problem) return colours.line;
  return data.problem.severity === "error" ? colours.failed : colours.paused;
}

function fill(
  context: CanvasRenderingContext2D,
  nodes: readonly TaskFlowNode[],
  colour: string,
  width: number,
): void {
  context.fillStyle = colour;
  for (const { position } of nodes) {
    context.fillRect(position.x, position.y, width, SIZE.height);
  }
}

function outline(context: CanvasRenderingContext2D, nodes: readonly TaskFlowNode[]): void {
  for (const { position } of nodes) {
    context.strokeRect(position.x, position.y, SIZE.width, SIZE.height);
  }
}

function paintNames(
  context: CanvasRenderingContext2D,
  nodes: readonly TaskFlowNode[],
  { text, font }: Ink,
): void {
  context.fillStyle = text;
  context.font = `600 20px ${font}`;
  context.textBaseline = "middle";
  for (const { position, data } of nodes) {
    const { name } = data.task;
    const short = name.length > NAME_MOST ? `${name.slice(0, NAME_MOST - 1)}…` : name;
    context.fillText(short, position.x + STRIP + 10, position.y + SIZE.height / 2 + 1);
  }
}
