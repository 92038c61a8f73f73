/** What is asked of YAML's nodes and pairs. */

import { isNode, isPair, isScalar, type Node, type Pair, type YAMLMap } from "yaml";

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
