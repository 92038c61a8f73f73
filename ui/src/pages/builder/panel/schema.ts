/** Which control fits a part of a JSON Schema. */

import { isMapValue, type Json } from "../document/json";

export interface Schema {
  type?: string | string[];
  description?: string;
  enum?: Json[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
}

export type Control =
  | { kind: "choice"; choices: Json[] }
  | { kind: "number"; words: boolean }
  | { kind: "text"; multiline: boolean }
  | { kind: "map"; textsOnly: boolean }
  | { kind: "yaml" };

/** The parameters of a schema, those that must be there first. */
export function propertiesOf(schema: Schema | undefined): [string, Schema, boolean][] {
  const required = schema?.required ?? [];
  return Object.entries(schema?.properties ?? {})
    .map(([name, of]): [string, Schema, boolean] => [
      name,
      resolved(of, schema),
      required.includes(name),
    ])
    .toSorted((a, b) => Number(b[2]) - Number(a[2]));
}

function resolved(schema: Schema, root: Schema | undefined): Schema {
  const name = schema.$ref?.match(/^#\/\$defs\/(.+)$/)?.[1];
  const target = name === undefined ? undefined : root?.$defs?.[name];
  return target ? { ...target, ...schema } : schema;
}

/** Names of parameters that are mostly longer than a line. */
const LONG = /^(command|script|body|stdin|query|sql|code|text|message|template)$/;

export function controlOf(name: string, schema: Schema, value: Json | undefined): Control {
  if (schema.enum) return { kind: "choice", choices: schema.enum };
  const types = typesOf(schema);
  const fits = value === undefined || types.has(typeOf(value));
  if (!fits || types.size === 0) return { kind: "yaml" };
  const number = types.has("number") || types.has("integer");
  const isText = value === undefined || typeof value === "string";
  if (types.has("boolean") && types.size === 1) return { kind: "choice", choices: [true, false] };
  if (number && (isText || typeof value === "number"))
    return { kind: "number", words: types.has("string") };
  if (types.has("string") && isText) {
    const long = LONG.test(name) || (typeof value === "string" && value.includes("\n"));
    return { kind: "text", multiline: long };
  }
  const inner = schema.additionalProperties;
  if (types.has("object") && isFlat(value)) {
    const texts = typeof inner === "object" && inner.type === "string";
    return { kind: "map", textsOnly: texts };
  }
  return { kind: "yaml" };
}

function typesOf(schema: Schema): Set<string> {
  const own = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  const types = new Set(own);
  for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    for (const type of typesOf(one)) types.add(type);
  }
  if (schema.properties) types.add("object");
  return types;
}

function typeOf(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value;
}

function isFlat(value: Json | undefined): boolean {
  return (
    value === undefined ||
    (isMapValue(value) && Object.values(value).every((item) => typeof item !== "object"))
  );
}
