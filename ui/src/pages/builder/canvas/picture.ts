/** A picture of the canvas, made here: as SVG, and from that as PNG. */

import type { Link, Task } from "../document/view";
import { labelOf } from "./link-edge";
import { isAsync } from "./look";
import { type Place, type Places, SIZE } from "./places";

/** The colours of a picture. */
export interface Colours {
  background: string;
  surface: string;
  line: string;
  text: string;
  faint: string;
}

const MARGIN = 32;
const ORIGIN: Place = { x: 0, y: 0 };

export function svgOf(
  tasks: readonly Task[],
  links: readonly Link[],
  places: Places,
  colours: Colours,
): string {
  const all = tasks.map(({ id }) => places[id] ?? ORIGIN);
  const left = Math.min(0, ...all.map(({ x }) => x));
  const top = Math.min(0, ...all.map(({ y }) => y));
  const width = Math.max(0, ...all.map(({ x }) => x)) - left + SIZE.width + 2 * MARGIN;
  const height = Math.max(0, ...all.map(({ y }) => y)) - top + SIZE.height + 2 * MARGIN;
  const box = `${left - MARGIN} ${top - MARGIN} ${width} ${height}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${box}" font-family="sans-serif">`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z" fill="${colours.line}"/></marker></defs>`,
    `<rect x="${left - MARGIN}" y="${top - MARGIN}" width="${width}" height="${height}" fill="${colours.background}"/>`,
    ...links.map((link) => linkSvg(link, places, colours)),
    ...tasks.map((task) => taskSvg(task, places[task.id] ?? ORIGIN, colours)),
    "</svg>",
  ].join("\n");
}

const DASHES: Record<Link["kind"], string> = {
  variable: "",
  order: ' stroke-dasharray="6 5"',
  end: ' stroke-dasharray="1 5"',
};

function linkSvg(link: Link, places: Places, { line, faint, background }: Colours): string {
  const from = places[link.from] ?? ORIGIN;
  const to = places[link.to] ?? ORIGIN;
  const x1 = from.x + (link.kind === "order" ? SIZE.width - 26 : SIZE.width / 2);
  const y1 = from.y + SIZE.height;
  const x2 = to.x + SIZE.width / 2;
  const bend = Math.max(30, Math.abs(to.y - y1) / 2);
  const dash = DASHES[link.kind];
  const path = `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${to.y - bend} ${x2} ${to.y}`;
  return `<path d="${path}" fill="none" stroke="${line}" stroke-width="1.8"${dash} marker-end="url(#tip)"/><text x="${(x1 + x2) / 2}" y="${(y1 + to.y) / 2}" font-size="11.5" font-weight="600" text-anchor="middle" dominant-baseline="middle" fill="${faint}" stroke="${background}" stroke-width="5" paint-order="stroke">${escaped(labelOf(link))}</text>`;
}

function taskSvg(task: Task, { x, y }: Place, { surface, line, text, faint }: Colours): string {
  const dash = isAsync(task) ? ' stroke-dasharray="2 3"' : "";
  return `<rect x="${x}" y="${y}" width="${SIZE.width}" height="${SIZE.height}" rx="10" fill="${surface}" stroke="${line}" stroke-width="1.8"${dash}/><text x="${x + 16}" y="${y + 27}" font-size="13.5" font-weight="700" fill="${text}">${escaped(short(task.name))}</text><text x="${x + 16}" y="${y + 45}" font-size="12" fill="${faint}">${escaped(short(task.plugin))}</text>`;
}

function short(text: string): string {
  return text.length > 26 ? `${text.slice(0, 25)}…` : text;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The colours of the page as it is shown. */
export function shownColours(): Colours {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    background: colour("--bg"),
    surface: colour("--surface"),
    line: colour("--line-strong"),
    text: colour("--text"),
    faint: colour("--text-faint"),
  };
  probe.remove();
  return colours;
}

/** The largest side of a PNG that browsers draw. */
const MOST_PX = 8000;

export async function pngOf(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const scale = Math.min(2, MOST_PX / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = image.width * scale;
    canvas.height = image.height * scale;
    const context = canvas.getContext("2d");
    context?.scale(scale, scale);
    context?.drawImage(image, 0, 0);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("The browser drew no picture.");
    return blob;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Hands a file to the person. */
export function download(content: Blob | string, name: string, type = "text/plain"): void {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
