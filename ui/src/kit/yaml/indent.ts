/** Where the line after a break begins. */

import { indentService } from "@codemirror/language";
import { opensBlock } from "./pieces";

const STEP = 2;

/** The indentation of what follows a line. */
export function indentAfter(line: string): number {
  const dashes = /^\s*(?:-\s+)*/.exec(line)?.[0].length ?? 0;
  const opens = /:\s*$/.test(line.replace(/(^|\s)#.*$/, "")) || opensBlock(line);
  return opens ? dashes + STEP : dashes;
}

export const indent = indentService.of(({ state }, pos) => {
  const line = state.doc.lineAt(pos);
  return line.text.trim() === "" ? null : indentAfter(line.text.slice(0, pos - line.from));
});
