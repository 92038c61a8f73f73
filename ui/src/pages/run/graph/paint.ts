/** Draws arrows, and from afar nodes, on a canvas: thousands of them take no elements of the page. */

import type { Tone } from "../../../kit/tone";
import { type Box, meet, type Placed, type PlacedLink, type PlacedNode, type Point } from "./place";

export interface View {
  x: number;
  y: number;
  zoom: number;
  width: number;
  height: number;
}

export type Colours = Record<Tone | "line" | "link" | "accent" | "surface", string>;

const TOKENS: Record<keyof Colours, string> = {
  succeeded: "--succeeded",
  failed: "--failed",
  running: "--running",
  waiting: "--waiting-soft",
  paused: "--paused",
  skipped: "--skipped",
  line: "--line-strong",
  link: "--text-faint",
  accent: "--accent",
  surface: "--surface",
};

/** The colours of the page as a canvas takes them. */
export function coloursOf(element: HTMLElement): Colours {
  const probe = document.createElement("span");
  element.append(probe);
  const read = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const all = Object.fromEntries(
    Object.entries(TOKENS).map(([name, token]) => [name, read(token)]),
  );
  probe.remove();
  return all as Colours;
}

/** Makes the canvas as fine as the screen and goes to the view's place. */
export function begin(canvas: HTMLCanvasElement, view: View): CanvasRenderingContext2D | null {
  const fine = window.devicePixelRatio || 1;
  const width = Math.round(view.width * fine);
  const height = Math.round(view.height * fine);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(1, 0, 0, 1, 0, 0);
  context?.clearRect(0, 0, width, height);
  const scale = view.zoom * fine;
  context?.setTransform(scale, 0, 0, scale, view.x * fine, view.y * fine);
  return context;
}

/** The part of the scene that is in sight. */
export function sightOf(view: View, margin = 0): Box {
  return {
    x: -view.x / view.zoom - margin,
    y: -view.y / view.zoom - margin,
    width: view.width / view.zoom + 2 * margin,
    height: view.height / view.zoom + 2 * margin,
  };
}

/** Arrows in sight beyond which only those of the selection are drawn: more are a haze. */
const LINKS_MOST = 2500;

export function paintLinks(
  context: CanvasRenderingContext2D,
  placed: Placed,
  view: View,
  colours: Colours,
  selected: string | undefined,
): void {
  const sight = sightOf(view);
  const seen = placed.links.filter((link) => meet(link.box, sight));
  const isOf = (link: PlacedLink) => link.from === selected || link.to === selected;
  const rest = seen.length > LINKS_MOST ? [] : seen.filter((link) => !isOf(link));
  const crowd = Math.min(1, 400 / Math.max(1, rest.length));
  context.lineWidth = Math.max(1.25, Math.min(2.5, 0.6 / view.zoom));
  context.globalAlpha = 0.25 + 0.5 * crowd;
  strokeAll(context, rest, colours.link, view.zoom);
  context.globalAlpha = 1;
  context.lineWidth *= 1.5;
  strokeAll(context, seen.filter(isOf), colours.accent, view.zoom);
}

function strokeAll(
  context: CanvasRenderingContext2D,
  links: PlacedLink[],
  colour: string,
  zoom: number,
): void {
  context.strokeStyle = colour;
  context.fillStyle = colour;
  for (const order of [false, true]) {
    context.setLineDash(order ? [5, 4] : []);
    context.beginPath();
    for (const link of links) if (link.order === order) trace(context, link.points);
    context.stroke();
  }
  context.setLineDash([]);
  if (zoom < 0.25) return;
  context.beginPath();
  for (const link of links) head(context, link.points.at(-1));
  context.fill();
}

const CORNER = 8;

function trace(context: CanvasRenderingContext2D, points: Point[]): void {
  const [first, second] = points;
  if (!first || !second) return;
  context.moveTo(first.x, first.y);
  if (points.length === 2) {
    const bend = (second.y - first.y) / 2;
    context.bezierCurveTo(first.x, first.y + bend, second.x, second.y - bend, second.x, second.y);
    return;
  }
  for (let at = 1; at < points.length - 1; at += 1) {
    const here = points[at] as Point;
    const next = points[at + 1] as Point;
    context.arcTo(here.x, here.y, next.x, next.y, CORNER);
  }
  const last = points.at(-1) as Point;
  context.lineTo(last.x, last.y);
}

function head(context: CanvasRenderingContext2D, tip: Point | undefined): void {
  if (!tip) return;
  context.moveTo(tip.x, tip.y + 1);
  context.lineTo(tip.x - 4.5, tip.y - 7);
  context.lineTo(tip.x + 4.5, tip.y - 7);
}

export function paintNode(
  context: CanvasRenderingContext2D,
  node: PlacedNode,
  shares: [Tone, number][],
  colours: Colours,
  selected: boolean,
): void {
  const { x, y, width, height } = node;
  let at = x;
  for (const [tone, share] of shares) {
    context.fillStyle = colours[tone];
    context.fillRect(at, y, width * share, height);
    at += width * share;
  }
  context.strokeStyle = selected ? colours.accent : colours.line;
  context.lineWidth = selected ? 10 : 2;
  context.strokeRect(x, y, width, height);
}
