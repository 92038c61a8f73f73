import fc from "fast-check";
import { expect, test } from "vitest";
import { LINES_MOST, LogLines } from "./log-lines";

function taken(pieces: string[]): LogLines {
  const log = new LogLines();
  for (const piece of pieces) log.take(piece);
  return log;
}

test("lines are the same however the text is cut", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", " ", "ü"), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(200)), (lines, cuts) => {
      const text = lines.join("\n");
      const places = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].sort(
        (a, b) => a - b,
      );
      const pieces = [...places, text.length].map((to, at) => text.slice(places[at - 1] ?? 0, to));
      const whole = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
      expect(taken(pieces).lines.map(({ raw }) => raw)).toEqual(whole);
    }),
  );
});

test("colours are no part of what is searched, and a carriage return starts a line anew", () => {
  const log = taken(["\u001b[32mok\u001b[0m done\n10 %\r100 %\n"]);
  expect(log.lines.map(({ text }) => text)).toEqual(["ok done", "100 %"]);
  expect(log.find("OK DONE")).toEqual([0]);
  expect(log.find("")).toEqual([]);
});

test("a log without end keeps its newest lines", () => {
  const log = taken(["x\n".repeat(LINES_MOST), "last\n"]);
  expect(log.lines).toHaveLength(LINES_MOST);
  expect(log.dropped).toBe(1);
  expect(log.lines.at(-1)?.text).toBe("last");
});
