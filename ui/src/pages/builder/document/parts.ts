/** A text cut where its tasks begin, by its lines alone: what is read once need not be read again. */

export interface Parts {
  /** All in front of the first task, in whole lines. */
  head: string;
  /** Each from the line of its dash to that of the next, with the remarks and blank lines between. */
  tasks: string[];
  /** All behind the last task. */
  tail: string;
  /** The column of the dashes. */
  indent: number;
}

/** The key of the list, and nothing else in its line. */
const LIST = /^( +)tasks:[ \t]*(?:#.*)?\n/m;
/** A directive, which says how all of the text is to be read; line breaks and indentation of other kinds. */
const STRANGE = /^%|\r|^ *\t[ \t]*[^\s#]/m;

/**
 * The parts of a text in which each task is an item of a list with a dash on a line of its own. Where the
 * text is sound YAML, no line within an item is indented as little as the dash; whether it is, and whether
 * this is the list of tasks, shows in the reading of the parts.
 */
export function partsOf(text: string): Parts | undefined {
  const list = LIST.exec(text);
  if (!list || STRANGE.test(text)) return undefined;
  const least = list[1]?.length ?? 0;
  const starts: number[] = [];
  let indent = -1;
  let end = text.length;
  for (let at = list.index + list[0].length; at < text.length; at = lineBehind(text, at)) {
    const column = indentOf(text, at);
    const first = text[at + column];
    if (first === undefined || first === "\n" || first === "#" || first === "\t") continue;
    if (indent >= 0 && column > indent) continue;
    const isItem = first === "-" && /^\s?$/.test(text[at + column + 1] ?? "");
    if (!isItem || column < Math.max(least, indent)) {
      end = at;
      break;
    }
    indent = column;
    starts.push(at);
  }
  const [begin] = starts;
  if (begin === undefined) return undefined;
  return {
    head: text.slice(0, begin),
    tasks: starts.map((start, at) => text.slice(start, starts[at + 1] ?? end)),
    tail: text.slice(end),
    indent,
  };
}

function indentOf(text: string, at: number): number {
  let column = 0;
  while (text[at + column] === " ") column += 1;
  return column;
}

function lineBehind(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}
