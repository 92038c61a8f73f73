/** Workflows that tests make up, in many styles of writing. */

import fc from "fast-check";
import type { JsonMap } from "./json";

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
const variable = fc.constantFrom("TRUE", "A", "B", "RAW_DATA", "null_", "Y", "NO", "X1");
const text = fc.oneof(
  word,
  fc.string({ maxLength: 24 }),
  fc.constantFrom(
    "",
    " lead",
    "a: b",
    "# no",
    "x #y",
    "yes",
    "1.5",
    "5m",
    "- a",
    "{{ A }}",
    "'",
    '"',
    "\\n",
    "*",
    "&a",
    "!x",
    "a\nb\n",
    "a\n\n  b",
    "é✓",
    "%",
    "@x",
    "null",
    "~",
  ),
);
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
export const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(text, tie("any"), { maxKeys: 3 }),
  ),
})).any as fc.Arbitrary<import("./json").Json>;

const opt = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const task = fc.record({
  plugin: fc.constantFrom("cmd", "df", "start", "end", "my plugin"),
  description: opt(text),
  inputs: opt(fc.uniqueArray(variable, { minLength: 1, maxLength: 3 })),
  outputs: opt(
    fc.uniqueArray(
      fc.oneof(
        variable,
        variable.map((name) => `${name}?`),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  ),
  params: opt(fc.dictionary(word, value, { minKeys: 1, maxKeys: 3 })),
  when: opt(fc.constantFrom("A == 1", "A|int < 10 and B != 'x'")),
  execution: opt(fc.record({ timeout: fc.constantFrom(5, "5m"), async: fc.boolean() })),
});

/** A workflow's value. */
export const workflow: fc.Arbitrary<JsonMap> = fc
  .record({
    tasks: fc.array(task, { minLength: 1, maxLength: 5 }),
    names: fc.uniqueArray(word, { minLength: 5, maxLength: 5 }),
    env: opt(fc.dictionary(fc.constantFrom("E", "F"), scalar, { minKeys: 1 })),
    orders: fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 4 }),
  })
  .map(({ tasks, names, env, orders }) => {
    const named = tasks.map((task, at) => {
      const waits = orders
        .filter(([from, to]) => to === at && from < tasks.length && from !== to)
        .map(([from]) => names[from] ?? "");
      const made: JsonMap = { name: names[at] ?? "" };
      for (const [key, item] of Object.entries(task)) if (item !== undefined) made[key] = item;
      if (waits.length > 0) {
        made.execution = {
          ...(made.execution as JsonMap | undefined),
          depends_on: [...new Set(waits)],
        };
      }
      return made;
    });
    const whole: JsonMap = { name: "made-up" };
    if (env) whole.env = env;
    return { ...whole, tasks: named };
  });

/** How a person might write a value that a machine would write otherwise. */
export interface Hand {
  /** Remarks, one a line, between others. */
  remarks: boolean;
  /** Blank lines between tasks. */
  spaced: boolean;
  json: boolean;
}

export const hand: fc.Arbitrary<Hand> = fc.record({
  remarks: fc.boolean(),
  spaced: fc.boolean(),
  json: fc.nat(5).map((n) => n === 0),
});

/** Strews remarks and blank lines over a text, where they mean nothing. */
export function strewn(text: string, { remarks, spaced }: Hand): string {
  let count = 0;
  return text
    .split("\n")
    .flatMap((line) => {
      const item = /^ {4}- name/.test(line);
      const key = /^ {4,6}(- )?(name|plugin|inputs|params|execution):/.test(line);
      const out: string[] = [];
      if (item && spaced) out.push("");
      if (item && remarks) out.push(`    # remark ${count++}`);
      if (!item && key && remarks) out.push(`      # remark ${count++}`);
      out.push(/^ {6}plugin: \w+$/.test(line) && remarks ? `${line} # remark ${count++}` : line);
      return out;
    })
    .join("\n");
}

/** All remarks of a text. */
export function remarksOf(text: string): string[] {
  return text.match(/# remark \d+/g) ?? [];
}
