import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { changed, set } from "./change";
import { hand, remarksOf, strewn, value, workflow } from "./generated";
import type { JsonMap } from "./json";
import { mentionsOf } from "./mentions";
import { read } from "./source";
import { keepsName, refused, withVariableRenamed } from "./variable";
import { view } from "./view";

const RUNS = Number(process.env.FC_RUNS ?? 100);

/** A workflow of one task, with these lines. */
function task(...lines: string[]): string {
  const rest = lines.map((line) => `      ${line}\n`).join("");
  return `workflow:\n  name: w\n  tasks:\n    - name: a\n${rest}`;
}

describe("a variable gets another name", () => {
  it.each([
    ["inputs and outputs", "inputs: [A, AB] # of A", "inputs: [Z, AB] # of A"],
    ["an output that may be absent", "outputs:\n        - A?", "outputs:\n        - Z?"],
    ["a condition", `when: A|int > 1 and B != 'A'`, `when: Z|int > 1 and B != 'A'`],
    [
      "a condition in quotes",
      `when: "A == \\"A\\" or x.A or not A"`,
      `when: "Z == \\"A\\" or x.A or not Z"`,
    ],
    ["a condition in other quotes", `when: 'A == ''A'' or A'`, `when: 'Z == ''A'' or Z'`],
    ["no filter and no test", "when: B|A and B is not A", "when: B|A and B is not A"],
    ["a list to go through", "for_each: A", "for_each: Z"],
    [
      "templates",
      `params: { url: "{{ A }}{{A}}\\n{{ENV:A}}{{ AB }}A", list: [{ x: '{{A}}' }] }`,
      `params: { url: "{{ Z }}{{Z}}\\n{{ENV:A}}{{ AB }}A", list: [{ x: '{{Z}}' }] }`,
    ],
    [
      "what goes with an event",
      "events: [{ name: a.A, payload: [A] }]",
      "events: [{ name: a.A, payload: [Z] }]",
    ],
    [
      "a contract",
      "contract: { success: { required: [A], properties: { A: { const: A } } }, error: { required: [A] } }",
      "contract: { success: { required: [Z], properties: { Z: { const: A } } }, error: { required: [A] } }",
    ],
    ["no description", "description: A", "description: A"],
  ])("in %s", (_, before, after) => {
    expect(withVariableRenamed(task(before), "A", "Z")).toBe(task(after));
    expect(withVariableRenamed(task(after), "Z", "A")).toBe(task(before));
  });

  it.each([
    [`"echo $A \${A:-x} \\"A=$B\\" A \${#A}"`, `"echo $Z \${Z:-x} \\"Z=$B\\" A \${#Z}"`],
    [`"echo\\nA=1; export A; [ A == b ]"`, `"echo\\nZ=1; export Z; [ A == b ]"`],
    ["run --A=1 $AB $A_ x.A=2 A_=3", "run --A=1 $AB $A_ x.A=2 A_=3"],
    ["[sh, -c, 'echo $A']", "[sh, -c, 'echo $Z']"],
    ["|\n          # $A\n          echo A=$A", "|\n          # $Z\n          echo Z=$Z"],
  ])("in the command %s", (before, after) => {
    const text = (command: string) => task("plugin: cmd", "params:", `  command: ${command}`);
    expect(withVariableRenamed(text(before), "A", "Z")).toBe(text(after));
  });

  it("where the workflow sets it, and keeps its secrets", () => {
    const text = `workflow:
  env:
    A: "{{ENV:A}}"   # A of the host
    TOP_KEY: "{{ENV:HOST}}"
  secrets: [A]
  tasks:
    - { name: n, plugin: noop, params: { outputs: { A: 1 } }, outputs: [A] }
`;
    expect(withVariableRenamed(text, "A", "Z")).toBe(
      text
        .replace('A: "{{', 'Z: "{{')
        .replace("secrets: [A]", "secrets: [Z]")
        .replace("{ A: 1 } }, outputs: [A]", "{ Z: 1 } }, outputs: [Z]"),
    );
    expect(withVariableRenamed(text, "TOP_KEY", "TOP")).toContain("secrets: [A, TOP]");
    expect(withVariableRenamed(text, "TOP_KEY", "OTHER_KEY")).toContain("secrets: [A]\n");
  });

  it("through aliases, and round circles", () => {
    const text = task(
      "inputs: &in [A]",
      "events: [{ name: x, payload: *in }]",
      "params: &p { x: '{{A}}', y: *p }",
    );
    expect(withVariableRenamed(text, "A", "Z")).toBe(text.replaceAll("A", "Z"));
  });

  it("in quotes where YAML reads a word", () => {
    const after = withVariableRenamed(task("inputs: [A]", "for_each: A"), "A", "NULL");
    expect(view(after).tasks[0]?.value).toMatchObject({ inputs: ["NULL"], for_each: "NULL" });
  });

  it("says which tasks speak of it", () => {
    const text = `workflow:\n  env: { A: 1 }\n  tasks:\n    - name: a\n    - { name: b, inputs: [A], when: A }\n`;
    expect(mentionsOf(read(text), "A").map(({ task }) => task)).toEqual([undefined, 1, 1]);
  });
});

describe("a name is refused", () => {
  const plugins = [{ name: "df", inputs: [], outputs: ["FREE_SPACE", "FREE_BYTES?"] }];
  const text = `workflow:
  env: { MAX_WORKERS: 2 }
  tasks:
    - { name: d, plugin: df, outputs: [FREE_SPACE] }
    - { name: c, plugin: cmd, inputs: [FREE_SPACE, WHO], outputs: [B], params: { command: echo B=$C } }
    - { name: e, plugin: end, inputs: [TRUE] }
`;

  it("if it is none, is taken, or means something", () => {
    const why = (name: string) => refused(read(text), name);
    expect(why("1A")).toContain("letters");
    expect(why("")).toContain("letters");
    expect(why("C")).toBe("C is another variable already (line 5).");
    expect(why("MAX_WORKERS")).toContain("Loomwork itself");
    expect(why("D")).toBeUndefined();
  });

  it("if a plugin or the engine knows the variable by its name", () => {
    const why = (name: string) => keepsName(view(text), plugins, name);
    expect(why("FREE_SPACE")).toContain("the plugin df knows it");
    expect(why("MAX_WORKERS")).toContain("Loomwork itself");
    expect(why("TRUE")).toContain("Loomwork itself");
    expect(why("C")).toContain("Nothing sets or takes C");
    expect([why("B"), why("WHO")]).toEqual([undefined, undefined]);
  });
});

describe("of made-up workflows", { timeout: 60_000 }, () => {
  const documents = fc.tuple(workflow, hand, value).map(([made, how, extra]) => {
    const whole: JsonMap = { ...made, env: { ...(made.env as JsonMap | undefined), A: extra } };
    if (how.json) return `${JSON.stringify({ workflow: whole }, null, 2)}\n`;
    return strewn(stringify({ workflow: whole }, { lineWidth: 0 }), how);
  });
  const variables = fc.constantFrom("TRUE", "A", "B", "RAW_DATA", "Y", "NO", "X1");
  const fresh = fc.constantFrom("ANOTHER", "Z9", "NULL", "yes", "_");

  it("each is what it was but for the name, and the way back leads to the same text", () => {
    fc.assert(
      fc.property(documents, variables, fresh, (source, from, to) => {
        const after = withVariableRenamed(source, from, to);
        const other = (name: string) => (name === from ? to : name);
        const [was, is] = [view(source), view(after)];
        expect(is.slips).toEqual([]);
        expect(is.tasks.map(({ inputs }) => inputs)).toEqual(
          was.tasks.map(({ inputs }) => inputs.map(other)),
        );
        expect(is.tasks.map(({ outputs }) => outputs)).toEqual(
          was.tasks.map(({ outputs }) =>
            outputs.map(({ name, optional }) => ({ name: other(name), optional })),
          ),
        );
        expect(is.links).toEqual(
          was.links.map((link) => ({ ...link, variables: link.variables.map(other) })),
        );
        expect(is.variables).toEqual(was.variables.map(other).toSorted());
        expect(mentionsOf(read(after), from)).toEqual([]);
        expect(remarksOf(after)).toEqual(remarksOf(source));
        expect(after.split("\n").length).toBe(source.split("\n").length);
        if (to !== "NULL") expect(withVariableRenamed(after, to, from)).toBe(source);
        const untouched = set(["name"], "another");
        expect(changed(after, untouched)).toBe(
          withVariableRenamed(changed(source, untouched), from, to),
        );
      }),
      { numRuns: RUNS },
    );
  });
});
