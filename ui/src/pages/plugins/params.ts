/** Parameters of a plugin, out of its JSON Schema. */

export interface Param {
  name: string;
  /** In words: `text`, `number`, `one of GET, POST`. */
  type: string;
  required: boolean;
  fallback: string | undefined;
  what: string;
}

type Json = Record<string, unknown>;

/** The parameters that a schema names, those that are needed first. Schemas are written by strangers. */
export function paramsOf(schema: unknown): Param[] {
  if (!isObject(schema) || !isObject(schema.properties)) return [];
  const needed = Array.isArray(schema.required) ? schema.required : [];
  const params = Object.entries(schema.properties).map(([name, of]): Param => {
    const it = isObject(of) ? of : {};
    return {
      name,
      type: typeOf(it),
      required: needed.includes(name),
      fallback: it.default === undefined ? undefined : JSON.stringify(it.default),
      what: typeof it.description === "string" ? it.description : "",
    };
  });
  return params.sort((a, b) => Number(b.required) - Number(a.required));
}

/** Whether parameters that the schema does not name are taken too. */
export function takesOthers(schema: unknown): boolean {
  return !isObject(schema) || schema.additionalProperties !== false;
}

const WORDS: Record<string, string> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "yes or no",
  array: "list",
  object: "object",
  null: "nothing",
};

function typeOf(of: Json): string {
  if (Array.isArray(of.enum)) return `one of ${of.enum.map((it) => String(it)).join(", ")}`;
  if (of.const !== undefined) return String(of.const);
  const either = [of.oneOf, of.anyOf].find(Array.isArray);
  if (either) return [...new Set(either.filter(isObject).map(typeOf))].join(" or ");
  const types = Array.isArray(of.type) ? of.type : of.type === undefined ? [] : [of.type];
  if (types.length === 0) return "anything";
  return types.map((type) => WORDS[String(type)] ?? String(type)).join(" or ");
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
