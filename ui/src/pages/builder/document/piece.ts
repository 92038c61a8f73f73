/** A stretch of YAML that is read on its own: its nodes, and what they stand for. */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
} from "yaml";
import type { Json, JsonMap, Path } from "./json";
import { keyOf, nodeOf } from "./nodes";
import { isName } from "./shape";

/** Text with its nodes, which nobody has asked yet what they stand for. */
export function parsed(text: string): Document.Parsed {
  return parseDocument(text, { keepSourceTokens: true, prettyErrors: false, logLevel: "silent" });
}

/** Which piece a node is in. */
const owners = new WeakMap<Node, Piece>();

export function pieceOf(node: Node): Piece | undefined {
  return owners.get(node);
}

/** Never changes: several texts may have it in common. Places in it count from its own beginning. */
export class Piece {
  readonly text: string;
  readonly document: Document.Parsed;
  /** Whether names bind its values together, or to others elsewhere. */
  readonly isBound: boolean;
  readonly #values = new Map<Node, Json>();
  #names = 0;

  /** Reads a text, parsed, whose root stands at a path. Nodes of other pieces may have been put into it. */
  constructor(text: string, document: Document.Parsed, path: Path) {
    this.text = text;
    this.document = document;
    if (document.contents) this.#read(document.contents, path, new Set());
    this.isBound = this.#names > 0;
  }

  get root(): Node | null {
    return this.document.contents;
  }

  /** What a node of this piece stands for; what an unchanged one stands for stays the same object. */
  valueOf(node: Node): Json {
    return this.#values.get(node) ?? null;
  }

  #read(node: Node | null, path: Path, open: Set<Node>): Json {
    if (node === null) return null;
    const other = owners.get(node);
    if (other) return other.valueOf(node);
    this.#own(node);
    const value = this.#fresh(node, path, open);
    this.#values.set(node, value);
    return value;
  }

  #own(node: Node): void {
    owners.set(node, this);
    if (isAlias(node) || node.anchor !== undefined) this.#names += 1;
  }

  #fresh(node: Node, path: Path, open: Set<Node>): Json {
    if (isAlias(node)) {
      const target = node.resolve(this.document);
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
      const name = nodeOf(pair.key);
      if (name) this.#own(name);
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
