/** Values of variables, as people read and write them. */

/** Texts stand for themselves; everything else is JSON. */
export function shownValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Reads a value of the kind that it had before. */
export function readValue(name: string, text: string, before: unknown): unknown {
  if (typeof before === "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${name} is no JSON: ${said(error)}`);
  }
}

/** Reads a JSON object; nothing is an empty one. */
export function readObject(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${said(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error('This is no JSON object; one looks like {"NAME": "value"}.');
  }
  return value as Record<string, unknown>;
}

/** A value over several lines, and a text that is JSON as what it says. */
export function prettyValue(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  const text = value.trim();
  if (!text.startsWith("{") && !text.startsWith("[")) return value;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return value;
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
