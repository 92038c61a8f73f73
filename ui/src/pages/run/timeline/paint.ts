/** Draws the bars of the rows in sight. */

import type { Tone } from "../../../kit/tone";
import type { Colours } from "../graph/paint";
import type { TaskState } from "../model/state";
import { type Piece, piecesOf } from "./rows";

/** Which time is where. */
export interface Scale {
  from: number;
  to: number;
  width: number;
}

export const ROW = 28;
const BAR = 14;

export function xOf(scale: Scale, at: number): number {
  return ((at - scale.from) / (scale.to - scale.from)) * scale.width;
}

export function timeOf(scale: Scale, x: number): number {
  return scale.from + (x / scale.width) * (scale.to - scale.from);
}

export function paintRow(
  context: CanvasRenderingContext2D,
  task: TaskState,
  row: { y: number; now: number; critical: boolean },
  scale: Scale,
  colours: Colours,
): void {
  const top = row.y + (ROW - BAR) / 2;
  let [first, last] = [scale.width, 0];
  for (const piece of piecesOf(task, row.now)) {
    const left = Math.max(-4, xOf(scale, piece.from));
    const right = Math.min(scale.width + 4, xOf(scale, piece.to));
    if (right < 0 || left > scale.width) continue;
    const width = Math.max(piece.kind === "working" ? 2 : 0.5, right - left);
    paintPiece(context, piece, left, top, width, colours);
    if (piece.kind === "working") {
      first = Math.min(first, left);
      last = Math.max(last, left + width);
    }
  }
  if (row.critical && last > first) {
    context.fillStyle = colours.accent;
    context.fillRect(first, top + BAR + 2, last - first, 3);
  }
}

function paintPiece(
  context: CanvasRenderingContext2D,
  piece: Piece,
  left: number,
  top: number,
  width: number,
  colours: Colours,
): void {
  if (piece.kind === "waiting") {
    context.fillStyle = colours.line;
    context.fillRect(left, top + BAR / 2 - 0.5, width, 1);
    return;
  }
  context.fillStyle =
    piece.kind === "working" ? colours[piece.tone] : hatch(context, piece, colours);
  context.fillRect(left, top, width, BAR);
}

const hatches = new WeakMap<Colours, Map<Tone, CanvasPattern | string>>();

/** Stripes for time in which nothing was done. */
function hatch(
  context: CanvasRenderingContext2D,
  piece: Piece,
  colours: Colours,
): CanvasPattern | string {
  const known = hatches.get(colours) ?? new Map<Tone, CanvasPattern | string>();
  hatches.set(colours, known);
  const there = known.get(piece.tone);
  if (there) return there;
  const tile = document.createElement("canvas");
  tile.width = 6;
  tile.height = 6;
  const brush = tile.getContext("2d");
  if (brush) {
    brush.strokeStyle = piece.tone === "waiting" ? colours.link : colours[piece.tone];
    brush.lineWidth = 1.4;
    brush.beginPath();
    for (const shift of [-6, 0, 6]) {
      brush.moveTo(shift - 1, 7);
      brush.lineTo(shift + 7, -1);
    }
    brush.stroke();
  }
  const made = context.createPattern(tile, "repeat") ?? colours.line;
  known.set(piece.tone, made);
  return made;
}
