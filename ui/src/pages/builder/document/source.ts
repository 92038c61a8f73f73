/** A workflow document as it is written: its nodes, their values and where they stand. */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Json, JsonMap, Path } from "./json";
import { isName } from "./shape";

/** Where a text is no YAML. */
export interface Slip {
  message: string;
  from: number;
  to: number;
  line: number;
}

/** A text with its nodes. */
export class Source {
  readonly text: string;
  readonly lines = new LineCounter();
  readonly slips: Slip[];
  /** The value of the whole; what an unchanged node stands for stays the same object. */
  readonly value: Json | undefined;
  readonly #document: Document.Parsed;
  readonly #values = new Map<Node, Json>();

  constructor(text: string) {
    this.text = text;
    this.#document = parseDocument(text, {
      keepSourceTokens: true,
      lineCounter: this.lines,
      prettyErrors: false,
      logLevel: "silent",
    });
    this.slips = this.#document.errors.map((error) => ({
      message: error.message,
      from: error.pos[0],
      to: error.pos[1],
      line: this.lines.linePos(error.pos[0]).line,
    }));
    this.value = this.root ? this.#read(this.root, [], new Set()) : undefined;
  }

  get root(): Node | null {
    return this.#document.contents;
  }

  /** What a node stands for. */
  valueOf(node: Node | null): Json {
    return node === null ? null : (this.#values.get(node) ?? null);
  }

  /** The node itself, or the one that it is an alias of. */
  aimOf(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
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
    return node.range?.[0] ?? 0;
  }

  /** Where a value ends: behind its last character that is no white space or comment. */
  end(node: Node): number {
    if (isMap(node) && !this.isFlow(node)) {
      const last = node.items.at(-1);
      return last ? this.pairEnd(last) : this.start(node);
    }
    if (isSeq(node) && !this.isFlow(node)) {
      const at = node.items.length - 1;
      const last = nodeOf(node.items[at]);
      return Math.max(last ? this.end(last) : 0, this.dash(node, at) + 1);
    }
    const [from = 0, to = 0] = node.range ?? [];
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
    const separators = (pair as { srcToken?: { sep?: { type: string; offset: number }[] } })
      .srcToken?.sep;
    const colon = separators?.find((token) => token.type === "map-value-ind");
    return colon ? colon.offset + 1 : ((pair.key as Node).range?.[1] ?? 0);
  }

  /** Where the dash of an item of a list stands. */
  dash(list: YAMLSeq, at: number): number {
    const token = list.srcToken as
      | { items?: { start: { type: string; offset: number }[] }[] }
      | undefined;
    const dash = token?.items?.[at]?.start.find(({ type }) => type === "seq-item-ind");
    return dash?.offset ?? this.start(list);
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

  #read(node: Node | null, path: Path, open: Set<Node>): Json {
    if (node === null) return null;
    const value = this.#fresh(node, path, open);
    this.#values.set(node, value);
    return value;
  }

  #fresh(node: Node, path: Path, open: Set<Node>): Json {
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      // An alias of what it stands in has no end.
      if (!target || open.has(target)) return null;
      return this.#values.get(target) ?? null;
    }
    if (isScalar(node)) return scalarValue(node, path);
    open.add(node);
    const value = this.#collection(node, path, open);
    open.delete(node);
    return value;
  }

  #collection(node: Node, path: Path, open: Set<Node>): Json {
    if (isSeq(node)) {
      return node.items.map((item, at) => this.#read(nodeOf(item), [...path, at], open));
    }
    const map: JsonMap = {};
    if (!isMap(node)) return map;
    for (const pair of node.items) {
      const key = keyOf(pair);
      const value = this.#read(nodeOf(pair.value), [...path, key], open);
      Object.defineProperty(map, key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return map;
  }
}

function scalarValue(scalar: Scalar, path: Path): Json {
  const { value, source } = scalar;
  if (isName(path) && typeof value === "boolean" && source !== undefined) return source;
  if (typeof value === "bigint") return Number(value);
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  return String(value ?? "");
}

let last: Source | undefined;

/** A text with its nodes. The one that was read last is at hand. */
export function read(text: string): Source {
  if (last?.text !== text) last = new Source(text);
  return last;
}

/** The name of a pair's key. */
export function keyOf(pair: Pair): string {
  const key = pair.key;
  return isScalar(key)
    ? typeof key.value === "string"
      ? key.value
      : String(key.source ?? key.value)
    : String(key);
}

export function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyOf(pair) === key);
}

/** An item or a value as a node; the lone pair of a list stands for nothing that a workflow has. */
export function nodeOf(item: unknown): Node | null {
  return isNode(item) && !isPair(item) ? item : null;
}

/** Whether nothing is written where a value could be. */
export function isNothing(node: Node): boolean {
  return isScalar(node) && node.value === null && (node.source ?? "") === "";
}
