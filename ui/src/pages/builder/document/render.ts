/** New values as text, in the style in which people write workflow files. */

import { isMapValue, type Json, type JsonMap, type Path } from "./json";
import { hasLines, isName, keyOrder } from "./shape";

/** How a scalar that is replaced was written: its successor is written so too, where it can be. */
export type Style = "PLAIN" | "QUOTE_SINGLE" | "QUOTE_DOUBLE" | "BLOCK_LITERAL" | "BLOCK_FOLDED";

/** Lists of plain values up to this width stand on one line. */
const LINE = 92;

/** Text that stands for a value as somebody wrote it: what is pasted keeps its comments and its style. */
const written = new WeakMap<JsonMap, string>();

/** Remembers how a value was written: lines whose first has no indentation. */
export function asWritten(value: JsonMap, text: string): JsonMap {
  written.set(value, text);
  return value;
}

/** What follows `key:` of a pair whose key stands at `indent`. */
export function afterKey(value: Json, indent: number, path: Path, style?: Style): string {
  if (Array.isArray(value) && value.length > 0) {
    const line = ` ${flow(value, path)}`;
    const fits = value.every(isScalar) && !hasLines(path);
    if (fits && !line.includes("\n") && indent + line.length <= LINE) return line;
    return `\n${listLines(value, indent + 2, path)}`;
  }
  if (isMapValue(value) && Object.keys(value).length > 0) {
    return `\n${pad(indent + 2)}${mapLines(value, indent + 2, path)}`;
  }
  return ` ${inline(value, indent, path, style)}`;
}

/** A list of lines, each item with its dash at `indent`. */
export function listLines(items: readonly Json[], indent: number, path: Path): string {
  return items
    .map((item, at) => `${pad(indent)}-${afterDash(item, indent, [...path, at])}`)
    .join("\n");
}

/** What follows the dash of an item, the dash at `indent`. */
export function afterDash(value: Json, indent: number, path: Path, style?: Style): string {
  if (!isMapValue(value)) return afterKey(value, indent, path, style);
  const text = written.get(value);
  if (text !== undefined) return ` ${text.replaceAll(/\n(?!\n|$)/g, `\n${pad(indent + 2)}`)}`;
  if (Object.keys(value).length === 0) return " {}";
  return ` ${mapLines(value, indent + 2, path)}`;
}

/** The pairs of a map, each but the first on its own line at `indent`. */
export function mapLines(map: JsonMap, indent: number, path: Path): string {
  return ordered(Object.keys(map), path)
    .map((key) => pairText(key, map[key] ?? null, indent, [...path, key]))
    .join(`\n${pad(indent)}`);
}

export function pairText(key: string, value: Json, indent: number, path: Path): string {
  return `${keyText(key, path.slice(0, -1), false)}:${afterKey(value, indent, path)}`;
}

/** A key of the map at a path; those of the file's own are words of their own. */
function keyText(key: string, path: Path, inFlow: boolean): string {
  return keyOrder(path)?.includes(key) ? key : quoted(key, "PLAIN", inFlow);
}

/** Keys as people order them at this path; others stay as they are, behind. */
export function ordered(keys: readonly string[], path: Path): string[] {
  const order = keyOrder(path);
  if (!order) return [...keys];
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return keys.toSorted((a, b) => place(a) - place(b));
}

/** A value on one line. */
export function flow(value: Json, path: Path, json = false): string {
  if (Array.isArray(value)) {
    return `[${value.map((item, at) => flow(item, [...path, at], json)).join(", ")}]`;
  }
  if (!isMapValue(value)) return json ? JSON.stringify(value) : scalar(value, path, "PLAIN", true);
  const pairs = ordered(Object.keys(value), path).map((key) => {
    const name = json ? JSON.stringify(key) : keyText(key, path, true);
    return `${name}: ${flow(value[key] ?? null, [...path, key], json)}`;
  });
  if (pairs.length === 0) return "{}";
  return json ? `{${pairs.join(", ")}}` : `{ ${pairs.join(", ")} }`;
}

function inline(value: Json, indent: number, path: Path, style: Style = "PLAIN"): string {
  if (Array.isArray(value)) return "[]";
  if (isMapValue(value)) return "{}";
  if (typeof value === "string" && value.includes("\n") && mayBeBlock(value)) {
    return block(value, indent + 2);
  }
  return scalar(value, path, style, false);
}

/** A scalar on one line; `inFlow` where brackets and commas would end it. */
export function scalar(value: Json, path: Path, style: Style, inFlow: boolean): string {
  if (typeof value === "number") return numeral(value);
  if (typeof value !== "string") return String(value);
  if (
    isName(path) &&
    /^[A-Za-z_*][A-Za-z0-9_]*\??$/.test(value) &&
    !/^(null|\*\??)$/i.test(value)
  ) {
    return value;
  }
  return quoted(value, style, inFlow);
}

function numeral(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

function quoted(text: string, style: Style, inFlow: boolean): string {
  const plain = style !== "QUOTE_DOUBLE" && style !== "QUOTE_SINGLE" && mayBePlain(text, inFlow);
  if (plain) return text;
  const oneLine =
    /^[\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe]*$/.test(text) && !/[\u2028\u2029]/.test(text);
  const single = style === "QUOTE_SINGLE" || (style !== "QUOTE_DOUBLE" && /["\\]/.test(text));
  if (oneLine && single && !text.includes("'")) return `'${text}'`;
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const WORDS = /^(null|true|false|yes|no|on|off|y|n)$/i;

/** Whether a text reads as itself without quotes, to every reader of YAML. */
function mayBePlain(text: string, inFlow: boolean): boolean {
  if (WORDS.test(text)) return false;
  if (/^\d+(\.\d+)?(ms|[smhd])$/.test(text)) return true;
  if (/^\d+\.\d+\.\d+(-[A-Za-z0-9.]+)?$/.test(text)) return true;
  if (/^[A-Za-z_/][\w./+-]*( [\w./+\-()]+)*$/.test(text)) return true;
  return !inFlow && /^[A-Za-z_][\w./+-]*( [\w./+\-=,;'"()$%<>|&]*[\w./+\-=)'"])*[.!]?$/.test(text);
}

function mayBeBlock(text: string): boolean {
  return !/^[\s]|[^\n\x20-\x7e\u00a0-\ud7ff]|\n[ ]+(\n|$)|[\u2028\u2029]/.test(text);
}

function block(text: string, indent: number): string {
  const chomp = text.endsWith("\n\n") ? "+" : text.endsWith("\n") ? "" : "-";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${chomp}\n${lines.map((line) => (line === "" ? "" : pad(indent) + line)).join("\n")}`;
}

export function isScalar(value: Json): boolean {
  return typeof value !== "object" || value === null;
}

export function pad(indent: number): string {
  return " ".repeat(indent);
}
