/** Colours what is in sight of the text. */

import { RangeSetBuilder, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, type EditorView, ViewPlugin } from "@codemirror/view";
import { indentOf, type Kind, opensBlock, type Piece, piecesOf } from "./pieces";

const MARKS: Record<Kind, Decoration> = {
  key: Decoration.mark({ class: "cm-y-key" }),
  remark: Decoration.mark({ class: "cm-y-remark" }),
  word: Decoration.mark({ class: "cm-y-word" }),
  mark: Decoration.mark({ class: "cm-y-mark" }),
  name: Decoration.mark({ class: "cm-y-name" }),
};

/** Lines above the first in sight that are looked at for the text it may be part of. */
const LOOK_BACK = 400;

/** What lines say, by their text: between two letters most of them stay as they are. */
type Lines = ReadonlyMap<string, Piece[]>;

function colour(view: EditorView, before: Lines): { marks: DecorationSet; lines: Lines } {
  const lines = new Map<string, Piece[]>();
  const marks = new RangeSetBuilder<Decoration>();
  const { doc } = view.state;
  for (const { from, to } of view.visibleRanges) {
    const first = doc.lineAt(from).number;
    const last = doc.lineAt(to).number;
    let block = blockAt(doc, first);
    for (let number = first; number <= last; number += 1) {
      const line = doc.line(number);
      const inside =
        block !== undefined && (line.text.trim() === "" || indentOf(line.text) > block);
      if (inside) continue;
      const pieces = lines.get(line.text) ?? before.get(line.text) ?? piecesOf(line.text);
      lines.set(line.text, pieces);
      for (const { from, to, kind } of pieces) {
        marks.add(line.from + from, line.from + to, MARKS[kind]);
      }
      block = opensBlock(line.text) ? indentOf(line.text) : undefined;
    }
  }
  return { marks: marks.finish(), lines };
}

/** The indentation of what a line is the text of, if it is part of a longer text. */
function blockAt(doc: Text, number: number): number | undefined {
  let least = Number.POSITIVE_INFINITY;
  const end = Math.max(1, number - LOOK_BACK);
  const own = doc.line(number).text;
  if (own.trim() !== "") least = indentOf(own);
  for (let above = number - 1; above >= end && least > 0; above -= 1) {
    const { text } = doc.line(above);
    if (text.trim() === "" || indentOf(text) >= least) continue;
    if (opensBlock(text)) return indentOf(text);
    least = indentOf(text);
  }
  return undefined;
}

export const highlight = ViewPlugin.define(
  (view) => ({
    coloured: colour(view, new Map()),
    update({ docChanged, viewportChanged, view }) {
      if (docChanged || viewportChanged) this.coloured = colour(view, this.coloured.lines);
    },
  }),
  { decorations: ({ coloured }) => coloured.marks },
);
