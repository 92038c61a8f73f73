/** Maps and lists that are written with brackets: put together again of their own pieces. */

import { isMap, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";
import { isMapValue, type Json, type JsonMap, type Path, same } from "./json";
import { matchItems } from "./match";
import { isNothing, keyOf, nodeOf } from "./nodes";
import { flow, ordered, type Style, scalar } from "./render";
import type { Source } from "./source";

/** A piece between two commas: white space and remarks, what stands there, and the same again. */
interface Piece {
  lead: string;
  body: string;
  trail: string;
}

/** The text of a node inside brackets, or of one with brackets, that shall stand for something else. */
export function flowText(source: Source, node: Node | null, wanted: Json, path: Path): string {
  if (node && same(source.valueOf(node), wanted)) {
    return source.text.slice(source.start(node), source.end(node));
  }
  const json = isJson(source);
  if (isMap(node) && isMapValue(wanted)) return mapText(source, node, wanted, path, json);
  if (isSeq(node) && Array.isArray(wanted)) return listText(source, node, wanted, path, json);
  if (json || typeof wanted === "object") return flow(wanted, path, json);
  const style = node && "type" in node ? (node.type as Style) : "PLAIN";
  return scalar(wanted, path, style, true);
}

function listText(
  source: Source,
  list: YAMLSeq,
  wanted: Json[],
  path: Path,
  json: boolean,
): string {
  const spans = list.items.map((item) => {
    const node = nodeOf(item);
    return { from: node ? startOf(source, node) : 0, to: node ? source.end(node) : 0 };
  });
  const pieces = piecesOf(source, list, spans);
  const places = matchItems(source.valueOf(list) as Json[], wanted);
  const bodies = wanted.map((item, at) => {
    const place = places[at] ?? -1;
    if (place < 0) return flow(item, [...path, at], json);
    const node = nodeOf(list.items[place]);
    const head = node ? source.text.slice(startOf(source, node), source.start(node)) : "";
    return head + flowText(source, node, item, [...path, at]);
  });
  return `[${join(pieces, places, bodies)}]`;
}

function mapText(source: Source, map: YAMLMap, wanted: JsonMap, path: Path, json: boolean): string {
  const spans = map.items.map((pair) => ({
    from: source.pairStart(pair),
    to: Math.max(source.pairEnd(pair), source.close(pair.key as Node)),
  }));
  const pieces = piecesOf(source, map, spans);
  const there = map.items.map(keyOf);
  const added = ordered(
    Object.keys(wanted).filter((key) => !there.includes(key)),
    path,
  );
  const keys = [...there.filter((key) => Object.hasOwn(wanted, key)), ...added];
  const bodies = keys.map((key) => {
    const value = wanted[key] ?? null;
    const pair = map.items[there.indexOf(key)];
    if (!pair) {
      const text = flow({ [key]: value }, path, json);
      return text.slice(1, -1).trim();
    }
    const node = nodeOf(pair.value);
    if (node && !isNothing(node)) {
      const head = source.text.slice(source.pairStart(pair), source.start(node));
      return head + flowText(source, node, value, [...path, key]);
    }
    const head = source.text.slice(source.pairStart(pair), source.pairEnd(pair));
    if (value === null) return head;
    const colon = head.endsWith(":") ? " " : ": ";
    return head + colon + flow(value, [...path, key], json);
  });
  const places = keys.map((key) => there.indexOf(key));
  return `{${join(pieces, places, bodies, json ? "" : " ")}}`;
}

/** Puts bodies between commas, each in the white space that it had; new ones as their neighbours have it. */
function join(pieces: Piece[], places: number[], bodies: string[], padding = ""): string {
  const lone: Piece = { lead: padding, body: "", trail: padding };
  const first = pieces[0] ?? lone;
  const last = pieces.at(-1) ?? lone;
  if (bodies.length === 0) return remarks(pieces, []);
  const between = pieces[1]?.lead ?? (first.lead.includes("\n") ? first.lead : " ");
  let out = "";
  bodies.forEach((body, at) => {
    const piece = pieces[places[at] ?? -1];
    const isLast = at === bodies.length - 1;
    const own = piece && hasRemark(piece.lead) ? piece.lead : undefined;
    const lead = own ?? (at === 0 ? first.lead : between);
    const inner = piece && piece !== last ? piece.trail : "";
    out += lead + body + (isLast ? inner + last.trail : `${inner},`);
  });
  return remarks(pieces, places) + out;
}

/** The remarks of pieces that are gone. */
function remarks(pieces: Piece[], places: number[]): string {
  const gone = pieces.filter((_, at) => !places.includes(at));
  return gone
    .flatMap(({ lead, trail }) => [lead, trail])
    .filter(hasRemark)
    .map((text) => `${text.trimEnd()}\n`)
    .join("");
}

function hasRemark(text: string): boolean {
  return text.includes("#");
}

function piecesOf(source: Source, node: Node, spans: { from: number; to: number }[]): Piece[] {
  const { text } = source;
  const commas = source.commas(node);
  return spans.map(({ from, to }, at) => {
    const opens = at === 0 ? source.start(node) + 1 : (commas[at - 1] ?? to) + 1;
    const closes = at < spans.length - 1 ? (commas[at] ?? to) : source.end(node) - 1;
    return {
      lead: text.slice(opens, from),
      body: text.slice(from, to),
      // A comma behind the last item separates nothing.
      trail: text.slice(to, closes).replace(/^\s*,/, ""),
    };
  });
}

/** Where an item begins, with the name or the tag in front of it. */
function startOf(source: Source, node: Node): number {
  const start = source.start(node);
  const named = "anchor" in node && typeof node.anchor === "string" ? `&${node.anchor}` : undefined;
  if (!named) return start;
  const at = source.text.lastIndexOf(named, start);
  return at < 0 ? start : at;
}

function isJson(source: Source): boolean {
  const { root } = source;
  if (!isMap(root) || !source.isFlow(root)) return false;
  const key = root.items[0]?.key as { type?: string } | undefined;
  return key?.type === "QUOTE_DOUBLE";
}
