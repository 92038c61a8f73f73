import { expect, it } from "vitest";
import { indentAfter } from "./indent";
import { opensBlock, piecesOf } from "./pieces";

/** The pieces as `kind text`. */
function said(line: string): string[] {
  return piecesOf(line).map(({ from, to, kind }) => `${kind} ${line.slice(from, to)}`);
}

it.each<[string, string[]]>([
  ["    - name: extract # first", ["mark -", "key name", "mark :", "remark # first"]],
  ["  timeout: 1.5", ["key timeout", "mark :", "word 1.5"]],
  ["when: A == 1 and B != 'x:y'", ["key when", "mark :"]],
  ["inputs: [TRUE, A#B]", ["key inputs", "mark :", "mark [", "word TRUE", "mark ,", "mark ]"]],
  ['"a b": { c: "x # y" }', ['key "a b"', "mark :", "mark {", "key c", "mark :", "mark }"]],
  ["a: &x *y", ["key a", "mark :", "name &x", "name *y"]],
  ["url: http://x:80/#a", ["key url", "mark :"]],
  ["text: |-", ["key text", "mark :", "mark |-"]],
  ["# all", ["remark # all"]],
  ["my key : null", ["key my key ", "mark :", "word null"]],
  ["", []],
])("reads %s", (line, pieces) => {
  expect(said(line).map((piece) => piece.trim())).toEqual(pieces.map((piece) => piece.trim()));
});

it("knows where texts of several lines begin", () => {
  expect(["a: |", "- >-", "a: |2 # x", "|"].map(opensBlock)).toEqual([true, true, true, true]);
  expect(["a: b|", "# a: |", "a: b > c", "a: |x"].map(opensBlock)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

it("indents what follows", () => {
  const after = [
    "  tasks:",
    "    - name: a",
    "      params:",
    "      when: x # y:",
    "a: |",
    "",
    "  # x:",
  ];
  expect(after.map(indentAfter)).toEqual([4, 6, 8, 6, 2, 0, 2]);
});
