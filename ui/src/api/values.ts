/** Values of variables, as people write them into a form. */

/** Lists and objects are taken as JSON, everything else as the text that it is. */
export function readValue(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A JSON object as it was written, or what is wrong with it. Nothing is an empty one. */
export function readObject(text: string): { value: Record<string, unknown> } | { wrong: string } {
  if (text.trim() === "") return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      return { value: value as Record<string, unknown> };
    }
    return { wrong: 'This is no object: write {"NAME": "value"}' };
  } catch (error) {
    return { wrong: `This is no JSON: ${(error as Error).message}` };
  }
}

/** So many random bytes, written with hexadecimal digits. */
export function randomHex(bytes = 16): string {
  const bits = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(bits, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
