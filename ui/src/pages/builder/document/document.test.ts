import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import * as edit from "./change";
import { copied, pasted } from "./clipboard";
import { difference } from "./cuts";
import { type Hand, hand, remarksOf, strewn, value, workflow } from "./generated";
import { begun, redone, undone, written } from "./history";
import { type JsonMap, same } from "./json";
import { view } from "./view";

const RUNS = Number(process.env.FC_RUNS ?? 40);
const EXAMPLES = join(import.meta.dirname, "../../../../../examples");

/** A workflow in somebody's hand, by two ways of writing: this library's and our own. */
function text(made: JsonMap, how: Hand, own: boolean): string {
  if (how.json) return `${JSON.stringify({ workflow: made }, null, 2)}\n`;
  const plain = own
    ? edit.changed("", () => made)
    : stringify({ workflow: made }, { lineWidth: 0 });
  return strewn(plain, how);
}

const documents = fc
  .tuple(workflow, hand, fc.boolean())
  .map(([made, how, own]) => text(made, how, own));

/** What the canvas shows, without places in the text. */
function seen(source: string) {
  const { workflow, links, slips } = view(source);
  return { workflow, links, slips };
}

function property(run: (text: string, pick: (count: number) => number) => void) {
  fc.assert(
    fc.property(documents, fc.nat(), (source, seed) => {
      run(source, (count) => (count === 0 ? 0 : seed % count));
    }),
    { numRuns: RUNS },
  );
}

describe("a document", { timeout: 60_000 }, () => {
  it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith(".yaml")))("reads %s", (name) => {
    const source = readFileSync(join(EXAMPLES, name), "utf8");
    const { slips, tasks, links } = view(source);
    expect(slips).toEqual([]);
    expect(tasks.length).toBeGreaterThan(1);
    expect(links.length).toBeGreaterThan(0);
    expect(edit.changed(source, (workflow) => structuredClone(workflow))).toBe(source);
  });

  it("draws an end behind all that leads nowhere else, as far as that is not written", () => {
    const of = (text: string) => {
      const { links, drawn } = view(`workflow:\n  name: w\n  tasks:\n${text}`);
      expect(drawn.slice(0, links.length)).toEqual(links);
      return drawn.slice(links.length).map(({ kind, from, to }) => `${kind} ${from} ${to}`);
    };
    const task = (name: string, rest: string) => `    - { name: ${name}, ${rest} }\n`;
    const a = task("a", "plugin: cmd, outputs: [A]");
    const b = task("b", "plugin: cmd, inputs: [A]");
    const end = task("z", "plugin: end, inputs: [A]");
    expect(of(a + b)).toEqual([]);
    expect(of(a + b + end)).toEqual(["end b z"]);
    expect(of(a + end)).toEqual([]);
    const after = task("c", "plugin: cmd, execution: { depends_on: [z] }");
    expect(of(a + b + task("z", "plugin: end") + after)).toEqual(["end b z"]);
    expect(of(task("y", "plugin: end") + task("z", "plugin: end"))).toEqual([]);
  });

  it("says the same after a change to it as the change said", () => {
    fc.assert(
      fc.property(documents, workflow, (source, wanted) => {
        const after = edit.changed(source, () => wanted);
        expect(view(after).slips).toEqual([]);
        expect(view(after).workflow).toEqual(wanted);
      }),
      { numRuns: RUNS },
    );
  });

  it("is written so that others read the same", () => {
    fc.assert(
      fc.property(value, (made) => {
        const after = edit.changed(
          "workflow:\n  env:\n    X: 1 # remark 0\n",
          edit.set(["env", "X"], made),
        );
        expect(same(parse(after).workflow.env?.X ?? null, made)).toBe(true);
      }),
      { numRuns: 4 * RUNS },
    );
  });

  it("keeps its remarks and all lines that a change does not touch", () => {
    property((source, pick) => {
      const before = view(source);
      const index = pick(before.tasks.length);
      const after = edit.changed(source, edit.set(["tasks", index, "execution", "workers"], 3));
      expect(remarksOf(after)).toEqual(remarksOf(source));
      if (source.startsWith("{")) return;
      const cut = difference(source, after);
      const [first, last] = before.tasks[index]?.lines ?? [0, 0];
      const line = source.slice(0, cut?.from ?? 0).split("\n").length;
      expect(line).toBeGreaterThanOrEqual(first);
      expect(line).toBeLessThanOrEqual(last + 1);
    });
  });
});

describe("changes and their inverses", { timeout: 60_000 }, () => {
  it("add and remove a task", () => {
    property((source) => {
      const added = edit.changed(source, edit.addTasks([{ name: "fresh!", plugin: "cmd" }]));
      const index = view(added).tasks.findIndex(({ name }) => name === "fresh!");
      expect(index).toBeGreaterThanOrEqual(0);
      expect(remarksOf(added)).toEqual(remarksOf(source));
      expect(edit.changed(added, edit.removeTasks([index]))).toBe(source);
    });
  });

  it("rename a task and back", () => {
    property((source, pick) => {
      const { tasks, links } = view(source);
      const task = tasks[pick(tasks.length)];
      if (!task) return;
      const renamed = edit.changed(source, edit.renameTask(task.index, "another"));
      expect(view(renamed).links.length).toBe(links.length);
      expect(remarksOf(renamed)).toEqual(remarksOf(source));
      expect(seen(edit.changed(renamed, edit.renameTask(task.index, task.name)))).toEqual(
        seen(source),
      );
    });
  });

  it("link by an order and unlink", () => {
    property((source, pick) => {
      const { tasks } = view(source);
      const [from, to] = [pick(tasks.length), pick(tasks.length * 7) % tasks.length];
      const name = tasks[from]?.name ?? "";
      if (from === to || tasks[to]?.dependsOn.includes(name)) return;
      const linked = edit.changed(source, edit.linkOrder(from, to));
      expect(view(linked).tasks[to]?.dependsOn).toContain(name);
      expect(remarksOf(linked)).toEqual(remarksOf(source));
      expect(seen(edit.changed(linked, edit.unlinkOrder(from, to)))).toEqual(seen(source));
    });
  });

  it("link by a variable and unlink", () => {
    property((source, pick) => {
      const { tasks } = view(source);
      const [from, to] = [pick(tasks.length), pick(tasks.length * 7) % tasks.length];
      if (from === to) return;
      const before = edit.changed(
        source,
        edit.onTask(from, (task) => ({ ...task, outputs: ["LINK"] })),
      );
      const linked = edit.changed(before, edit.linkVariable(from, to, "LINK"));
      const link = view(linked).links.find(({ variables }) => variables.includes("LINK"));
      expect([link?.from, link?.to]).toEqual([tasks[from]?.id, tasks[to]?.id]);
      expect(seen(edit.changed(linked, edit.unlinkVariable(from, to, "LINK")))).toEqual(
        seen(before),
      );
    });
  });

  it("set a key and take it away", () => {
    property((source, pick) => {
      const index = pick(view(source).tasks.length);
      const path = ["tasks", index, "annotations", "note"];
      const after = edit.changed(source, edit.set(path, "x: # y"));
      expect(edit.changed(after, edit.set(path, undefined))).toBe(source);
    });
  });

  it("move a task and back, with its remarks", () => {
    property((source, pick) => {
      const count = view(source).tasks.length;
      const [from, to] = [pick(count), pick(count * 7) % count];
      const moved = edit.changed(source, edit.moveTask(from, to));
      expect(remarksOf(moved).toSorted()).toEqual(remarksOf(source).toSorted());
      expect(edit.changed(moved, edit.moveTask(to, from))).toBe(source);
    });
  });

  it("copy, paste and remove", () => {
    property((source, pick) => {
      const before = view(source);
      const index = pick(before.tasks.length);
      const done = pasted(before, copied(before, [index]));
      expect(done).toBeDefined();
      if (!done) return;
      const after = edit.changed(source, done.change);
      const twin = view(after).tasks.find(({ name }) => name === done.names[0]);
      expect({ ...twin?.value, name: "" }).toEqual({ ...before.tasks[index]?.value, name: "" });
      expect(edit.changed(after, edit.removeTasks([twin?.index ?? -1]))).toBe(source);
    });
  });

  it("undo and redo", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 20 }), (texts) => {
        const end = texts.reduce((history, next) => written(history, next), begun(""));
        let back = end;
        while (back.past.length > 0) back = undone(back);
        expect(back.text).toBe("");
        while (back.future.length > 0) back = redone(back);
        expect(back.text).toBe(end.text);
      }),
    );
  });
});
