/**
 * YAML in colours, line by line: no tree is built of it. A parser of the whole language works through what
 * follows a change anew, which takes longer than a letter may in a text of some thousand lines.
 */

export type Kind = "key" | "remark" | "word" | "mark" | "name";

export interface Piece {
  from: number;
  to: number;
  kind: Kind;
}

/** What a line says; offsets are of the line. Texts have no colour of their own, and no piece. */
export function piecesOf(line: string): Piece[] {
  const pieces: Piece[] = [];
  const put = (from: number, text: string, kind: Kind) =>
    pieces.push({ from, to: from + text.length, kind });
  for (const { 0: text, index, groups = {} } of line.matchAll(TOKEN)) {
    const kind = KINDS.find((name) => groups[name] !== undefined);
    if (kind) put(index, text, kind);
    else if (groups.text !== undefined && WORD.test(text.trim())) put(index, text.trim(), "word");
  }
  return pieces;
}

const KINDS: readonly Kind[] = ["remark", "key", "mark", "name"];
const QUOTED = `"(?:\\\\.|[^"\\\\])*"|'(?:''|[^'])*'`;
const TOKEN = new RegExp(
  [
    "(?<remark>(?:^|(?<=\\s))#.*)",
    `(?<key>(?<=^\\s*(?:-\\s+)*|[[{,]\\s*)(?:${QUOTED}|[^\\s"'#&*!|>%@,[\\]{}-][^:#,[\\]{}]*|-[^\\s:#,[\\]{}]+)(?=\\s*:(?:\\s|$)))`,
    `(?<quoted>${QUOTED})`,
    "(?<name>[&*!][^\\s,[\\]{}]+)",
    "(?<mark>[,:[\\]{}]|-(?=\\s|$)|[|>][+-]?\\d?(?=\\s*(?:#|$)))",
    "(?<text>[^\\s,[\\]{}#](?:[^,[\\]{}:#]|:(?!\\s|$)|(?<=\\S)#)*)",
  ].join("|"),
  "g",
);
const WORD =
  /^(null|Null|NULL|~|true|True|TRUE|false|False|FALSE|[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?)$/;

/** Whether a line begins a text that goes on, as it is, on lines that stand further right. */
export function opensBlock(line: string): boolean {
  return /(^|[\s:-])[|>][+-]?\d?[+-]?\s*(#.*)?$/.test(line) && !/^\s*#/.test(line);
}

/** Where a line begins, behind white space and the dashes of lists. */
export function indentOf(line: string): number {
  return line.search(/\S|$/);
}
