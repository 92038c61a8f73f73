import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMap, isSeq, type Node, stringify } from "yaml";
import * as edit from "./change";
import { hand, strewn, workflow } from "./generated";
import type { Json } from "./json";
import { nodeOf } from "./nodes";
import { partsOf } from "./parts";
import { Source } from "./source";
import { endingsOf, linksOf, mapOf, view } from "./view";

const RUNS = Number(process.env.FC_RUNS ?? 60);
/** In front of a text, it changes nothing but that the text is read as a whole. */
const AS_WHOLE = "%YAML 1.2\n---\n";

/** All that is known of a text, its places as if it began at a later offset. */
function known(source: Source, from: number) {
  const found: unknown[] = [];
  const walk = (node: Node | null): void => {
    if (!node) return;
    const here = [source.start(node) - from, source.end(node) - from, source.isFlow(node)];
    found.push([...here, source.valueOf(node), source.valueOf(source.aimOf(node))]);
    if (source.isFlow(node)) found.push(source.commas(node).map((comma) => comma - from));
    if (isSeq(node)) {
      node.items.forEach((item, at) => {
        found.push(source.dash(node, at) - from);
        walk(nodeOf(item));
      });
    }
    if (!isMap(node)) return;
    for (const pair of node.items) {
      const places = [source.pairStart(pair), source.colon(pair), source.pairEnd(pair)];
      found.push(places.map((place) => place - from));
      walk(nodeOf(pair.value));
    }
  };
  if (source.slips.length === 0) walk(source.root);
  const { line } = source.lines.linePos(source.text.length);
  return {
    found,
    value: source.value,
    lines: line - (source.text.slice(0, from).split("\n").length - 1),
    slips: source.slips.map((slip) => [slip.message, slip.from - from, slip.to - from]),
  };
}

/** Workflows with something in front of the tasks, and behind them. */
const around = fc.tuple(workflow, fc.dictionary(fc.constantFrom("env", "tags", "x"), fc.nat()));
const whole = around.map(([made, more]) => ({ ...made, ...more }));

const documents = fc.tuple(whole, hand, fc.nat(3)).map(([made, how, indentation]) => {
  const text = indentation
    ? stringify({ workflow: made }, { lineWidth: 40, indent: indentation + 1 })
    : edit.changed("", () => made);
  return strewn(text, how);
});

/** What slips into a text under somebody's hands. */
const slip = fc.constantFrom(
  ..."\"'[]{},:#&*|>-?!%\n\t ~".split(""),
  ...["- ", "\n    - ", "\n- ", " |\n", "&a ", "*a", "---\n", "...\n", "  tasks:\n", "\n  env: {}"],
  ...["# tasks:\n", "    - name: x\n", '"\n    - "', "{\n    - a }", "\r\n", "\n    -\n", "''"],
);
const slips = fc.array(fc.tuple(fc.nat(), fc.nat(6), fc.oneof(slip, fc.constant(""))), {
  minLength: 1,
  maxLength: 3,
});

function slipped(text: string, [place, gone, insert]: [number, number, string]): string {
  const at = place % (text.length + 1);
  return text.slice(0, at) + insert + text.slice(at + gone);
}

function valuesOf({ value }: Source): Json[] {
  return edit.tasksOf(mapOf(mapOf(value).workflow));
}

function readsAsAWhole(text: string, before?: Source): Source {
  const source = Source.of(text, before);
  const whole = Source.of(AS_WHOLE + text);
  expect(known(source, 0)).toEqual(known(whole, AS_WHOLE.length));
  const { tasks, links, drawn } = view(text);
  expect(links).toEqual(linksOf(tasks));
  expect(drawn).toEqual([...links, ...endingsOf(tasks, links)]);
  return source;
}

describe("a text that is read task by task", { timeout: 120_000 }, () => {
  it("says the same as one that is read as a whole, also while somebody types", () => {
    fc.assert(
      fc.property(documents, slips, (text, slips) => {
        let source = readsAsAWhole(text);
        for (const slip of slips) source = readsAsAWhole(slipped(source.text, slip), source);
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ["of what is around", "    - inputs: [A]\n", "  x: *a\n", "  env: &a { A: 1 }\n"],
    ["of its own task", "    - inputs: &a [A]\n      outputs: *a\n", "  x: 1\n"],
    ["of another task", "    - inputs: &a [A]\n    - inputs: *a\n", ""],
    ["of a task in front", "    - inputs: &a [A]\n", "  x: *a\n"],
    ["that a task took over", "    - inputs: &a [A]\n", "  x: *a\n", "  env: &a 1\n"],
    ["that is none", "    - inputs: *a\n", "  x: &a 1\n"],
  ])("knows a name %s", (_, tasks, tail, head = "") => {
    readsAsAWhole(`workflow:\n${head}  tasks:\n${tasks}${tail}`);
  });

  it("keeps the values of all tasks that another text says too", () => {
    const text = (names: string) => {
      const tasks = names.split("").map((name) => `    - name: ${name} # as it was\n`);
      return `workflow:\n  tasks:\n${tasks.join("")}  name: w\n`;
    };
    const before = Source.of(text("abcaa"));
    const after = Source.of(text("xacab"), before);
    const [old, fresh] = [valuesOf(before), valuesOf(after)];
    expect(fresh).toEqual(valuesOf(Source.of(after.text)));
    expect(fresh.map((value) => old.includes(value))).toEqual([false, true, true, true, true]);
    expect(new Set(fresh).size).toBe(5);
    expect(valuesOf(before)).toEqual(valuesOf(Source.of(before.text)));
  });
});

describe("a text is cut", () => {
  const TASKS = "    - name: a\n      x: |\n        - b\n\n    # c\n    -\n      name: c\n";
  it.each([
    ["at its tasks", `workflow:\n  tasks:\n${TASKS}  env: {}\n`, [5, 2]],
    ["without indentation", "workflow:\n  tasks: # all\n  - a\n  - b\n  env: {}\n", [1, 1]],
    ["where a task has no line break", "workflow:\n  tasks:\n    - a", [1]],
    ["not in brackets", "workflow:\n  tasks: [a]\n", undefined],
    ["not behind a directive", `%YAML 1.1\n---\nworkflow:\n  tasks:\n${TASKS}`, undefined],
    ["not where tabs indent", "workflow:\n  tasks:\n    - a\n\t- b\n", undefined],
    ["not where there is none", "workflow:\n  tasks:\n  env: {}\n", undefined],
  ])("%s", (_, text, lines) => {
    const parts = partsOf(text);
    expect(parts?.tasks.map((task) => task.trimEnd().split("\n").length)).toEqual(lines);
    if (parts) expect([parts.head, ...parts.tasks, parts.tail].join("")).toBe(text);
  });
});
