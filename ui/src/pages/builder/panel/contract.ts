/** A contract's JSON Schema as rows of a form. What the form does not show stays as it is written. */

import { isMapValue, type Json, type JsonMap } from "../document/json";
import { mapOf, textsOf } from "../document/view";

export const TYPES = ["string", "integer", "number", "boolean", "array", "object", "null"] as const;

export interface Row {
  name: string;
  required: boolean;
  /** What is said of its values. */
  schema: JsonMap;
  /** Keys of it that the form has no control for. */
  others: string[];
}

/** What can be said of values of a type. */
const LIMITS: Record<string, readonly string[]> = {
  string: ["minLength", "maxLength", "pattern", "enum"],
  integer: ["minimum", "maximum", "enum"],
  number: ["minimum", "maximum", "enum"],
  array: ["minItems", "maxItems"],
};

export function limitsOf(schema: JsonMap): readonly string[] {
  return typeof schema.type === "string" ? (LIMITS[schema.type] ?? []) : ["enum"];
}

/** The rows of a schema; none if it says what rows cannot. Names in `known` have a row in any case. */
export function rowsOf(schema: Json | undefined, known: readonly string[]): Row[] | undefined {
  if (schema === undefined) return known.map((name) => rowOf(name, {}, []));
  if (!isMapValue(schema)) return undefined;
  const { properties = {}, required = [], type = "object", additionalProperties, ...rest } = schema;
  const plain =
    type === "object" &&
    isMapValue(properties) &&
    Object.values(properties).every(isMapValue) &&
    Array.isArray(required) &&
    required.every((name) => typeof name === "string") &&
    (additionalProperties === undefined || typeof additionalProperties === "boolean") &&
    Object.keys(rest).length === 0;
  if (!plain) return undefined;
  const asked = textsOf(required);
  const names = new Set([...known, ...Object.keys(properties), ...asked]);
  return [...names].map((name) => rowOf(name, mapOf(properties[name]), asked));
}

function rowOf(name: string, schema: JsonMap, required: readonly string[]): Row {
  const shown = ["type", ...limitsOf(schema)];
  const others = Object.keys(schema).filter(
    (key) => !shown.includes(key) || (key === "type" && typeof schema.type !== "string"),
  );
  return { name, required: required.includes(name), schema, others };
}

/** The schema after a change of one property; `undefined` for its schema takes that away. */
export function withRow(
  schema: Json | undefined,
  name: string,
  row: { required: boolean; schema: JsonMap | undefined },
): JsonMap | undefined {
  const { properties, required, ...rest } = mapOf(schema);
  const asked = textsOf(required).filter((other) => other !== name);
  if (row.required) asked.push(name);
  const said = { ...mapOf(properties) };
  if (row.schema && Object.keys(row.schema).length > 0) said[name] = row.schema;
  else delete said[name];
  const order = textsOf(required);
  const place = (other: string) => (order.includes(other) ? order.indexOf(other) : order.length);
  const whole: JsonMap = {
    ...rest,
    ...(asked.length > 0 && { required: asked.toSorted((a, b) => place(a) - place(b)) }),
    ...(Object.keys(said).length > 0 && { properties: said }),
  };
  return Object.keys(whole).length > 0 ? whole : undefined;
}

/** Another type for a property: limits that mean nothing to it go. */
export function withType(schema: JsonMap, type: string | undefined): JsonMap {
  const { type: _, ...rest } = schema;
  const next: JsonMap = type === undefined ? {} : { type };
  const gone = new Set(Object.values(LIMITS).flat());
  for (const key of limitsOf(next)) gone.delete(key);
  for (const [key, value] of Object.entries(rest)) if (!gone.has(key)) next[key] = value;
  return next;
}
