/** The pieces that a text is read in: each task is one, so that a change to one task reads that one alone. */

import { type Document, isMap, isSeq, type Node, type YAMLSeq } from "yaml";
import type { Path } from "./json";
import { nodeOf, pairOf } from "./nodes";
import { type Parts, partsOf } from "./parts";
import { Piece, parsed, pieceOf } from "./piece";

/** The path of the list of tasks. */
const TASKS: Path = ["workflow", "tasks"];

/** The list whose items are pieces of their own, and where these begin in the text. */
interface List {
  node: YAMLSeq;
  starts: ReadonlyMap<Piece, number>;
  /** The column of the dashes. */
  indent: number;
  /** Where the frame goes on behind the list, and how much further down that is in the text. */
  resumes: number;
  skipped: number;
}

export class Pieces {
  /** What is around the tasks, or the whole. */
  readonly frame: Piece;
  readonly #list: List | undefined;

  private constructor(frame: Piece, list?: List) {
    this.frame = frame;
    this.#list = list;
  }

  /** Reads a text as a whole. */
  static whole(text: string): Pieces {
    return new Pieces(new Piece(text, parsed(text), []));
  }

  /**
   * Reads a text that is sound, and of which each task can be read on its own. The tasks that another text
   * has too are not read again; others may be so many.
   */
  static byTask(text: string, before: Pieces | undefined, most: number): Pieces | undefined {
    const parts = partsOf(text);
    const tasks = parts && tasksOf(parts, before, most);
    return tasks && framed(parts, tasks, (frame, list) => new Pieces(frame, list));
  }

  /** The pieces of the tasks, where they have their own. */
  get tasks(): Iterable<Piece> {
    return this.#list?.starts.keys() ?? [];
  }

  /** An offset within the piece of a node, as one within the text. */
  place(node: Node, offset: number): number {
    if (!this.#list) return offset;
    const { starts, resumes, skipped } = this.#list;
    const piece = pieceOf(node);
    const start = piece && starts.get(piece);
    return offset + (start ?? (offset < resumes ? 0 : skipped));
  }

  /** Where the dash of an item stands that is a piece of its own. */
  dash(list: YAMLSeq, at: number): number | undefined {
    if (list !== this.#list?.node) return undefined;
    const item = nodeOf(list.items[at]);
    return item ? this.place(item, this.#list.indent) : undefined;
  }
}

/** The pieces of tasks; none if one of them cannot be read without the others. */
function tasksOf(
  { tasks, indent }: Parts,
  before: Pieces | undefined,
  most: number,
): Piece[] | undefined {
  const known = byText(before?.tasks ?? []);
  const pieces: Piece[] = [];
  let fresh = 0;
  for (const text of tasks) {
    // Each stands at one place of the text, also where two say the same.
    const old = known.get(text)?.pop();
    if (!old) fresh += 1;
    if (fresh > most) return undefined;
    const piece = old ?? new Piece(text, parsed(text), TASKS);
    if (!isSound(piece.document) || piece.isBound || !isList(piece.root, indent)) return undefined;
    pieces.push(piece);
  }
  return pieces;
}

function byText(pieces: Iterable<Piece>): ReadonlyMap<string, Piece[]> {
  const found = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const others = found.get(piece.text);
    if (others) others.push(piece);
    else found.set(piece.text, [piece]);
  }
  return found;
}

/** The tasks in what is around them, which is read with another task in their stead. */
function framed<T>(
  { head, tail, indent }: Parts,
  tasks: readonly Piece[],
  made: (frame: Piece, list: List) => T,
): T | undefined {
  const stead = `${" ".repeat(indent)}- 0\n`;
  const text = head + stead + tail;
  const document = parsed(text);
  const node = tasksIn(document.contents);
  if (!isSound(document) || !isList(node, head.length + indent)) return undefined;
  node.items = tasks.flatMap(({ root }) => (isSeq(root) ? root.items : []));
  const frame = new Piece(text, document, []);
  const starts = new Map<Piece, number>();
  let at = head.length;
  for (const piece of tasks) {
    starts.set(piece, at);
    at += piece.text.length;
  }
  const resumes = head.length + stead.length;
  return made(frame, { node, starts, indent, resumes, skipped: at - resumes });
}

function tasksIn(root: Node | null): Node | null {
  let here = root;
  for (const key of TASKS) here = isMap(here) ? nodeOf(pairOf(here, String(key))?.value) : null;
  return here;
}

function isSound({ errors }: Document.Parsed): boolean {
  return errors.length === 0;
}

/** Whether a node is a list of one item, with a dash at an offset. */
function isList(node: Node | null, at: number): node is YAMLSeq {
  const isOne = isSeq(node) && node.items.length === 1 && node.srcToken?.type === "block-seq";
  return isOne && node.range?.[0] === at && node.tag === undefined;
}
