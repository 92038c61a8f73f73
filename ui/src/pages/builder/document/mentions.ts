/** Where a text speaks of a variable: as a name, in templates, in expressions, in commands. */

import { isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import { keyOf, nodeOf, pairOf } from "./nodes";
import type { Source } from "./source";

/** A place where the name of a variable stands. */
export interface Mention {
  from: number;
  /** The task that speaks of it, by its place; none for the workflow itself. */
  task: number | undefined;
  /** Whether it is all there is, without quotes. */
  bare: boolean;
}

/** How a text is read for names: answers with where they begin. */
type Reading = (text: string, name: string) => number[];

/** Built-in plugins whose parameter `outputs` names the variables that they set. */
const PICKS = new Set(["noop", "sleep", "http"]);
/** Parts of a JSON Schema that speak of the same object. */
const SAME_OBJECT = ["allOf", "anyOf", "oneOf"];
const SAME_OBJECT_ALONE = ["if", "then", "else", "not"];

export function mentionsOf(source: Source, name: string): Mention[] {
  const finder = new Finder(source, name);
  finder.workflow(source.nodeAt(["workflow"]) ?? null);
  return [...finder.found.values()].toSorted((a, b) => a.from - b.from);
}

class Finder {
  /** By where they begin: what has an alias is walked more than once. */
  readonly found = new Map<number, Mention>();
  readonly #source: Source;
  readonly #name: string;
  #task: number | undefined;

  constructor(source: Source, name: string) {
    this.#source = source;
    this.#name = name;
  }

  workflow(node: Node | null): void {
    this.#keys(this.#at(node, "env"));
    this.#names(this.#at(node, "secrets"));
    this.#items(this.#at(node, "tasks")).forEach((task, index) => {
      this.#task = index;
      this.#ofTask(task);
    });
  }

  #ofTask(task: Node | null): void {
    this.#names(this.#at(task, "inputs"));
    this.#names(this.#at(task, "outputs"), `${this.#name}?`);
    for (const event of this.#items(this.#at(task, "events"))) {
      this.#names(this.#at(event, "payload"));
    }
    this.#whole(this.#at(task, "for_each"));
    this.#read(this.#at(task, "when"), inExpression);
    this.#schema(this.#at(this.#at(task, "contract"), "success"));
    const params = this.#at(task, "params");
    this.#texts(params, inTemplate);
    const plugin = this.#source.valueOf(this.#at(task, "plugin"));
    if (plugin === "cmd") this.#texts(this.#at(params, "command"), inCommand);
    if (PICKS.has(String(plugin))) this.#keys(this.#at(params, "outputs"));
  }

  /** The names of properties, wherever a schema speaks of the object of the outputs. */
  #schema(schema: Node | null, walked = new Set<Node>()): void {
    if (!schema || walked.has(schema)) return;
    walked.add(schema);
    this.#names(this.#at(schema, "required"));
    this.#keys(this.#at(schema, "properties"));
    for (const key of SAME_OBJECT) {
      for (const part of this.#items(this.#at(schema, key))) this.#schema(part, walked);
    }
    for (const key of SAME_OBJECT_ALONE) this.#schema(this.#at(schema, key), walked);
  }

  #at(node: Node | null, key: string): Node | null {
    return isMap(node) ? this.#source.aimOf(nodeOf(pairOf(node, key)?.value)) : null;
  }

  #items(node: Node | null): (Node | null)[] {
    return isSeq(node) ? node.items.map((item) => this.#source.aimOf(nodeOf(item))) : [];
  }

  #keys(node: Node | null): void {
    if (!isMap(node)) return;
    for (const pair of node.items) {
      if (isScalar(pair.key) && keyOf(pair) === this.#name) this.#add(pair.key, inWords);
    }
  }

  #names(list: Node | null, other = this.#name): void {
    for (const item of this.#items(list)) this.#whole(item, other);
  }

  #whole(node: Node | null, other = this.#name): void {
    const value = this.#source.valueOf(node);
    if (value === this.#name || value === other) this.#read(node, inWords);
  }

  #texts(node: Node | null, reading: Reading, walked = new Set<Node>()): void {
    if (!node || walked.has(node)) return;
    walked.add(node);
    for (const item of this.#items(node)) this.#texts(item, reading, walked);
    if (isMap(node)) {
      for (const { value } of node.items) {
        this.#texts(this.#source.aimOf(nodeOf(value)), reading, walked);
      }
    }
    this.#read(node, reading);
  }

  #read(node: Node | null, reading: Reading): void {
    if (isScalar(node)) this.#add(node, reading);
  }

  #add(scalar: Scalar, reading: Reading): void {
    const source = this.#source;
    const [start, end] = [source.start(scalar), source.close(scalar)];
    const text = masked(source.text.slice(start, end), scalar.type);
    for (const at of reading(text, this.#name)) {
      const bare = scalar.type === "PLAIN" && text.length === this.#name.length;
      this.found.set(start + at, { from: start + at, task: this.#task, bare });
    }
  }
}

/** A scalar as it is written, at the same places, without what is only there for the writing. */
function masked(text: string, type: Scalar.Type | undefined | null): string {
  const blank = (found: string) => " ".repeat(found.length);
  switch (type) {
    case "QUOTE_DOUBLE":
      return text.replaceAll(/\\(?:x..|u.{4}|U.{8}|[\s\S])/g, (found) =>
        found === '\\"' ? ' "' : blank(found),
      );
    case "QUOTE_SINGLE":
      return text.slice(0, 1) + text.slice(1, -1).replaceAll("''", " '") + text.slice(-1);
    case "BLOCK_LITERAL":
    case "BLOCK_FOLDED":
      return text.replace(/^.*/, blank);
    default:
      return text;
  }
}

function startsOf(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map(
    ({ index, groups }) => index + (groups?.lead ?? "").length,
  );
}

const inWords: Reading = (text, name) =>
  startsOf(text, new RegExp(`(?<!\\w)${name}(?!\\w)`, "g")).slice(0, 1);

/** `{{ NAME }}` */
const inTemplate: Reading = (text, name) =>
  startsOf(text, new RegExp(`(?<lead>\\{\\{\\s*)${name}\\s*\\}\\}`, "g"));

/** What takes names in a shell, and options between. */
const SHELL_WORDS = "(?:export|read|unset|local|declare|readonly|printenv)(?:\\s+-\\w+)*";

/** `$NAME`, `${NAME…}`, `NAME=` and `export NAME` in the shell's language. */
const inCommand: Reading = (text, name) =>
  startsOf(
    text,
    new RegExp(
      [
        `(?<lead>\\$\\{?[#!]?)${name}(?!\\w)`,
        `(?<![\\w$.-])${name}(?==(?!=))`,
        `(?<=(?<!\\w)${SHELL_WORDS}\\s+)${name}(?!\\w)`,
      ].join("|"),
      "g",
    ),
  );

const TOKEN = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|\S/gs;

/** A name in an expression that is no attribute, filter, test or argument, and in no text. */
const inExpression: Reading = (text, name) => {
  const tokens = [...outermost(text).matchAll(TOKEN)];
  const at = (place: number) => tokens[place]?.[0] ?? "";
  return tokens
    .filter((token, place) => {
      if (token[0] !== name) return false;
      const before = at(place - 1) === "not" ? at(place - 2) : at(place - 1);
      const isArgument = at(place + 1) === "=" && at(place + 2) !== "=";
      return !/^(\.|\||is)$/.test(before) && !isArgument;
    })
    .map(({ index }) => index);
};

/** A text without the quotes around the whole of it, which are YAML's. */
function outermost(text: string): string {
  const quoted = /^(["']).*\1$/s.test(text);
  return quoted ? ` ${text.slice(1, -1)} ` : text;
}
