/** A workflow document as it is written: its nodes, their values and where they stand. */

import { isAlias, isMap, isSeq, LineCounter, type Node, type Pair, type YAMLSeq } from "yaml";
import type { Json, Path } from "./json";
import { isNothing, nodeOf, pairOf } from "./nodes";
import { pieceOf } from "./piece";
import { Pieces } from "./pieces";

/** Where a text is no YAML. */
export interface Slip {
  message: string;
  from: number;
  to: number;
  line: number;
}

/** How long a value is; that stays so wherever its piece stands. */
const lengths = new WeakMap<Node, number>();

/** A text with its nodes. */
export class Source {
  readonly text: string;
  readonly lines = new LineCounter();
  readonly slips: Slip[];
  /** The value of the whole; what an unchanged node stands for stays the same object. */
  readonly value: Json | undefined;
  readonly #pieces: Pieces;

  private constructor(text: string, pieces: Pieces) {
    this.text = text;
    this.#pieces = pieces;
    for (let at = 0; at >= 0; at = after(text, at)) this.lines.addNewLine(at);
    const { frame } = pieces;
    this.slips = frame.document.errors.map(({ message, pos: [from, to] }) => {
      return { message, from, to, line: this.lines.linePos(from).line };
    });
    this.value = frame.root ? frame.valueOf(frame.root) : undefined;
  }

  /** Reads a text; of what it has in common with another, only what is new. */
  static of(text: string, before?: Source): Source {
    return (
      Source.near(text, before, Number.POSITIVE_INFINITY) ?? new Source(text, Pieces.whole(text))
    );
  }

  /** Reads a text that differs from another in so many tasks at most, where these can be read alone. */
  static near(text: string, before: Source | undefined, most: number): Source | undefined {
    const pieces = Pieces.byTask(text, before ? before.#pieces : undefined, most);
    return pieces && new Source(text, pieces);
  }

  get root(): Node | null {
    return this.#pieces.frame.root;
  }

  /** What a node stands for. */
  valueOf(node: Node | null): Json {
    return node === null ? null : (pieceOf(node)?.valueOf(node) ?? null);
  }

  /** The node itself, or the one that it is an alias of. */
  aimOf(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#pieces.frame.document) ?? null) : node;
  }

  /** The node at a path, through no alias. */
  nodeAt(path: Path): Node | undefined {
    let here: Node | null = this.root;
    for (const step of path) {
      if (isMap(here)) here = nodeOf(pairOf(here, String(step))?.value);
      else if (isSeq(here)) here = nodeOf(here.items[Number(step)]);
      else return undefined;
    }
    return here ?? undefined;
  }

  /** Whether a node is written with brackets rather than by indentation. */
  isFlow(node: Node | null): boolean {
    return node?.srcToken?.type === "flow-collection";
  }

  /** Where a value begins. */
  start(node: Node): number {
    return this.#pieces.place(node, node.range?.[0] ?? 0);
  }

  /** Where what stands for a scalar or for brackets ends. */
  close(node: Node): number {
    return this.#pieces.place(node, node.range?.[1] ?? 0);
  }

  /** Where a value ends: behind its last character that is no white space or comment. */
  end(node: Node): number {
    const start = this.start(node);
    const length = lengths.get(node) ?? this.#end(node) - start;
    lengths.set(node, length);
    return start + length;
  }

  #end(node: Node): number {
    if (isMap(node) && !this.isFlow(node)) {
      const last = node.items.at(-1);
      return last ? this.pairEnd(last) : this.start(node);
    }
    if (isSeq(node) && !this.isFlow(node)) {
      const at = node.items.length - 1;
      const last = nodeOf(node.items[at]);
      return Math.max(last ? this.end(last) : 0, this.dash(node, at) + 1);
    }
    const [from, to] = [this.start(node), this.close(node)];
    if (node.srcToken?.type !== "block-scalar") return to;
    const head = this.text.slice(from, this.text.indexOf("\n", from));
    // Blank lines at the end are part of the value only where it says so.
    if (head.includes("+")) return this.text[to - 1] === "\n" ? to - 1 : to;
    return from + this.text.slice(from, to).trimEnd().length;
  }

  pairStart(pair: Pair): number {
    const key = pair.key as Node;
    return this.start(key);
  }

  pairEnd(pair: Pair): number {
    const value = nodeOf(pair.value);
    const end = value && !isNothing(value) ? this.end(value) : 0;
    return Math.max(end, this.colon(pair));
  }

  /** Where a pair's value may begin: behind its colon. */
  colon(pair: Pair): number {
    const key = pair.key as Node;
    const separators = (pair as { srcToken?: { sep?: { type: string; offset: number }[] } })
      .srcToken?.sep;
    const colon = separators?.find((token) => token.type === "map-value-ind");
    return colon ? this.#pieces.place(key, colon.offset + 1) : this.close(key);
  }

  /** Where the dash of an item of a list stands. */
  dash(list: YAMLSeq, at: number): number {
    const own = this.#pieces.dash(list, at);
    if (own !== undefined) return own;
    const token = list.srcToken as
      | { items?: { start: { type: string; offset: number }[] }[] }
      | undefined;
    const dash = token?.items?.[at]?.start.find(({ type }) => type === "seq-item-ind");
    return dash ? this.#pieces.place(list, dash.offset) : this.start(list);
  }

  /** Where the commas of a list or a map with brackets stand. */
  commas(node: Node): number[] {
    const token = node.srcToken as { items?: { start: { type: string; offset: number }[] }[] };
    return (token.items ?? []).flatMap(({ start }) =>
      start
        .filter(({ type }) => type === "comma")
        .map(({ offset }) => this.#pieces.place(node, offset)),
    );
  }

  lineStart(offset: number): number {
    return this.text.lastIndexOf("\n", offset - 1) + 1;
  }

  /** Where the line ends that an offset stands in, in front of its line break. */
  lineEnd(offset: number): number {
    const at = this.text.indexOf("\n", offset);
    return at < 0 ? this.text.length : at;
  }

  column(offset: number): number {
    return offset - this.lineStart(offset);
  }

  /** Whether nothing but white space stands in front of an offset in its line. */
  leads(offset: number): boolean {
    return this.text.slice(this.lineStart(offset), offset).trim() === "";
  }
}

let last: Source | undefined;

/** A text with its nodes. The one that was read last is at hand. */
export function read(text: string): Source {
  if (last?.text !== text) last = Source.of(text, last);
  return last;
}

/** Tasks that can be read while somebody types, who does not feel it. */
const FEW = 16;

/** Whether a text is at hand, or so near to the one at hand that it is now. */
export function isNear(text: string): boolean {
  if (last?.text !== text) last = Source.near(text, last, FEW) ?? last;
  return last?.text === text;
}

function after(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? -1 : end + 1;
}
