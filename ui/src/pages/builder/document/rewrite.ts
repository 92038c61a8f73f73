/**
 * Writes a document anew so that it stands for another value, and changes nothing else: comments, order,
 * quotes, indentation and blank lines stay wherever the value they belong to does.
 *
 * The nodes of the text and the wanted value are walked side by side. Where they agree, nothing is touched;
 * where they do not, the smallest node that differs is written anew. Maps and lists that are written with
 * brackets are put together again of their own pieces.
 */

import { isMap, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { type Cut, cutRange } from "./cuts";
import { flowText } from "./flow";
import { isMapValue, type Json, type JsonMap, type Path, same } from "./json";
import { matchItems } from "./match";
import { isNothing, keyOf, nodeOf } from "./nodes";
import { afterDash, afterKey, ordered, pad, pairText, type Style } from "./render";
import type { Source } from "./source";

/** The text that stands for `wanted`, made of a text that stands for something else. */
export function rewrite(source: Source, wanted: JsonMap): string {
  const { root, text } = source;
  if (same(source.value, wanted)) return text;
  if (!root || isNothing(root) || !isMap(root)) {
    const head = text.trimEnd();
    const rest = ordered(Object.keys(wanted), [])
      .map((key) => pairText(key, wanted[key] ?? null, 0, [key]))
      .join("\n");
    return `${root && !isNothing(root) ? "" : head && `${head}\n`}${rest}\n`;
  }
  const writer = new Writer(source);
  writer.value(root, wanted, []);
  return cutRange(text, writer.cuts);
}

class Writer {
  readonly cuts: Cut[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Changes a node in place. False if it has to be written anew by who knows what is around it. */
  value(node: Node, wanted: Json, path: Path): boolean {
    const source = this.#source;
    if (same(source.valueOf(node), wanted)) return true;
    if (source.isFlow(node)) {
      if (isEmpty(source.valueOf(node)) && path.length > 0 && !this.#bracketed()) return false;
      if (isMapValue(wanted) !== isMap(node) || Array.isArray(wanted) !== isSeq(node)) return false;
      this.#cut(source.start(node), source.end(node), flowText(source, node, wanted, path));
      return true;
    }
    if (isMap(node) && isMapValue(wanted)) return this.#map(node, wanted, path);
    if (isSeq(node) && Array.isArray(wanted)) return this.#list(node, wanted, path);
    return false;
  }

  #map(map: YAMLMap, wanted: JsonMap, path: Path): boolean {
    const kept = map.items.filter((pair) => Object.hasOwn(wanted, keyOf(pair)));
    const first = kept[0];
    if (!first) return false;
    for (const pair of map.items) {
      const key = keyOf(pair);
      if (!kept.includes(pair)) this.#dropPair(pair);
      else this.#pair(pair, wanted[key] ?? null, [...path, key]);
    }
    this.#addPairs(kept, wanted, path);
    return true;
  }

  #addPairs(kept: Pair[], wanted: JsonMap, path: Path): void {
    const source = this.#source;
    const byKey = new Map(kept.map((pair) => [keyOf(pair), pair]));
    const [first] = kept;
    const indent = first ? source.column(source.pairStart(first)) : 0;
    let before: Pair | undefined;
    for (const key of ordered(Object.keys(wanted), path)) {
      const there = byKey.get(key);
      if (there) {
        before = there;
        continue;
      }
      const text = pairText(key, wanted[key] ?? null, indent, [...path, key]);
      if (before) {
        const at = source.lineEnd(source.pairEnd(before));
        this.#cut(at, at, `\n${pad(indent)}${text}`);
      } else if (first) {
        const at = source.pairStart(first);
        this.#cut(at, at, `${text}\n${pad(indent)}`);
      }
    }
  }

  #dropPair(pair: Pair): void {
    const source = this.#source;
    const start = source.pairStart(pair);
    if (source.leads(start)) this.#dropLines(start, source.pairEnd(pair));
    else this.#cut(start, source.lineEnd(source.pairEnd(pair)), "");
  }

  /** Takes whole lines away. */
  #dropLines(from: number, to: number): void {
    const source = this.#source;
    const start = source.lineStart(from);
    const end = source.lineEnd(to);
    if (start > 0) this.#cut(start - 1, end, "");
    else this.#cut(start, Math.min(end + 1, source.text.length), "");
  }

  #pair(pair: Pair, wanted: Json, path: Path): void {
    const source = this.#source;
    const node = nodeOf(pair.value);
    if (node && this.value(node, wanted, path)) return;
    if (!node && wanted === null) return;
    const colon = source.colon(pair);
    const indent = source.column(source.pairStart(pair));
    const fresh = afterKey(wanted, indent, path, styleOf(node));
    this.#replace(node, colon, source.pairEnd(pair), fresh);
  }

  /** Writes what follows a colon or a dash anew. A remark behind it in its line stays in that line. */
  #replace(node: Node | null, mark: number, end: number, fresh: string): void {
    const source = this.#source;
    const breaks = fresh.indexOf("\n");
    if (breaks >= 0 && !source.text.slice(mark, end).includes("\n")) {
      const lineEnd = source.lineEnd(end);
      this.#cut(mark, end, fresh.slice(0, breaks));
      this.#cut(lineEnd, lineEnd, fresh.slice(breaks));
      return;
    }
    // A name that others refer to by (an anchor) stays in front of the value.
    const start = node && !isNothing(node) ? source.start(node) : mark;
    const props = source.text.slice(mark, start).trim();
    if (props.startsWith("&") && breaks !== 0 && !props.includes("\n")) {
      this.#cut(mark, end, ` ${props}${fresh}`);
    } else {
      this.#cut(mark, end, fresh);
    }
  }

  #list(list: YAMLSeq, wanted: Json[], path: Path): boolean {
    const source = this.#source;
    const was = source.valueOf(list) as Json[];
    const places = matchItems(was, wanted);
    const kept = places.filter((place) => place >= 0);
    if (kept.length === 0) return false;
    // A dash behind another dash has no line of its own.
    if (!list.items.every((_, at) => source.leads(source.dash(list, at)))) return false;
    const segments = new Segments(source, list);
    const texts = new Map<number, string>();
    places.forEach((place, at) => {
      if (place >= 0)
        texts.set(place, this.#item(segments, list, place, wanted[at] ?? null, [...path, at]));
    });
    const inPlace = kept.every((place, at) => at === 0 || place > (kept[at - 1] ?? -1));
    if (!inPlace) return this.#moved(segments, places, texts, wanted, path);
    for (const [place, text] of texts) {
      const { from, to } = segments.of(place);
      if (source.text.slice(from, to) !== text) this.#cut(from, to, text);
    }
    this.#insertItems(segments, places, wanted, path);
    const first = Math.min(...kept);
    list.items.forEach((_, at) => {
      if (!texts.has(at)) this.#dropItem(segments, at, at < first);
    });
    return true;
  }

  /** The text of an item as it shall be, without what is around it. */
  #item(segments: Segments, list: YAMLSeq, at: number, wanted: Json, path: Path): string {
    const source = this.#source;
    const { from, to } = segments.of(at);
    const writer = new Writer(source);
    const node = nodeOf(list.items[at]);
    if (!node || !writer.value(node, wanted, path)) {
      const dash = source.dash(list, at) + 1;
      const end = node && !isNothing(node) ? source.end(node) : dash;
      const fresh = afterDash(wanted, segments.indent, path, styleOf(node));
      writer.#replace(node, dash, Math.max(end, dash), fresh);
    }
    return cutRange(source.text, writer.cuts, from, to);
  }

  #insertItems(segments: Segments, places: number[], wanted: Json[], path: Path): void {
    const source = this.#source;
    const space = segments.space();
    let before = -1;
    places.forEach((place, at) => {
      if (place >= 0) {
        before = place;
        return;
      }
      const item = wanted[at] ?? null;
      const text = `${pad(segments.indent)}-${afterDash(item, segments.indent, [...path, at])}`;
      if (before >= 0) {
        const end = segments.of(before).to;
        this.#cut(end, end, `\n${space}${text}`);
      } else {
        const start = source.lineStart(segments.of(0).from);
        this.#cut(start, start, `${text}\n${space}`);
      }
    });
  }

  /** Takes an item away with the blank lines on the side where nothing stays. Remarks above it stay. */
  #dropItem(segments: Segments, at: number, leading: boolean): void {
    const source = this.#source;
    const { dash, to } = segments.of(at);
    const blank = (place: number) => segments.gap(place).trim() === "" && segments.bare(place + 1);
    if (!leading) {
      if (blank(at - 1)) this.#cut(segments.of(at - 1).to, to, "");
      else this.#dropLines(dash, to);
      return;
    }
    const next = segments.bare(at) && blank(at) ? segments.of(at + 1).from : to + 1;
    this.#cut(source.lineStart(dash), next, "");
  }

  /** Items changed places: each takes its own remarks along, what is between them stays. */
  #moved(
    segments: Segments,
    places: number[],
    texts: Map<number, string>,
    wanted: Json[],
    path: Path,
  ): boolean {
    const space = segments.space();
    let out = "";
    places.forEach((place, at) => {
      const item = wanted[at] ?? null;
      const fresh = `${pad(segments.indent)}-${afterDash(item, segments.indent, [...path, at])}`;
      const text = texts.get(place) ?? fresh;
      const gap = at < segments.count - 1 ? segments.gap(at) : `\n${space}`;
      out += text + (at < places.length - 1 ? gap : "");
    });
    // The gaps that are left over may hold remarks.
    const last = segments.count - 1;
    for (let at = Math.max(places.length - 1, 0); at < last; at += 1) {
      const rest = segments.gap(at).trimEnd();
      if (rest.trim() !== "") out += rest;
    }
    this.#cut(segments.of(0).from, segments.of(last).to, out);
    return true;
  }

  #bracketed(): boolean {
    return this.#source.isFlow(this.#source.root);
  }

  #cut(from: number, to: number, insert: string): void {
    this.cuts.push({ from, to, insert });
  }
}

/** The items of a list as stretches of whole lines: each with the remarks right above it. */
class Segments {
  readonly indent: number;
  readonly count: number;
  readonly #source: Source;
  readonly #spans: { from: number; dash: number; to: number }[] = [];

  constructor(source: Source, list: YAMLSeq) {
    this.#source = source;
    this.count = list.items.length;
    this.indent = source.column(source.dash(list, 0));
    let floor = source.lineStart(source.dash(list, 0));
    list.items.forEach((item, at) => {
      const dash = source.dash(list, at);
      const node = nodeOf(item);
      const end = node && !isNothing(node) ? source.end(node) : dash + 1;
      const to = source.lineEnd(Math.max(end, dash + 1));
      this.#spans.push({ from: this.#remarks(dash, floor), dash, to });
      floor = Math.min(to + 1, source.text.length);
    });
  }

  of(at: number): { from: number; dash: number; to: number } {
    return this.#spans[at] ?? { from: 0, dash: 0, to: 0 };
  }

  /** What stands between an item and the next. */
  gap(at: number): string {
    return this.#source.text.slice(this.of(at).to, this.of(at + 1).from);
  }

  /** Whether no remarks stand right above an item. */
  bare(at: number): boolean {
    const { from, dash } = this.of(at);
    return this.#source.lineStart(dash) === from;
  }

  /** The blank line that this list has between its items, if it has one. */
  space(): string {
    return this.count > 1 && /\n[ \t]*\n/.test(this.gap(this.count - 2)) ? "\n" : "";
  }

  #remarks(dash: number, floor: number): number {
    const { text } = this.#source;
    let from = this.#source.lineStart(dash);
    while (from > floor) {
      const above = this.#source.lineStart(from - 1);
      const line = text.slice(above, from - 1);
      if (above < floor || line.trim()[0] !== "#" || line.search(/\S/) !== this.indent) break;
      from = above;
    }
    return from;
  }
}

function isEmpty(value: Json): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : isMapValue(value) && Object.keys(value).length === 0;
}

function styleOf(node: Node | null): Style | undefined {
  return node && "type" in node ? (node.type as Style | undefined) : undefined;
}
