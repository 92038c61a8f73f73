/** Something as it was shown, so that nothing is changed that the caller did not see. */

/** What the server said, and the version that it knows it by. */
export interface Shown<T> {
  it: T;
  version: string;
}

/** What a change goes by: only over what was shown, or only where there is nothing yet. */
export interface Guard {
  "If-Match"?: string;
  "If-None-Match"?: string;
}

/** What an answer showed. */
export async function shown<T>(call: Promise<{ data?: T; response: Response }>): Promise<Shown<T>> {
  const { data, response } = await call;
  // Who takes the version out of an answer on its way leaves us with: whatever is there.
  return { it: data as T, version: response.headers.get("etag") ?? "*" };
}

/** The guard of a change of what was shown; without it, of something new. */
export function guardOf(before: Shown<unknown> | undefined): Guard {
  return before ? { "If-Match": before.version } : { "If-None-Match": "*" };
}

/** One value that is not the same any more; what is absent is `undefined`. */
export interface Difference {
  /** `timing.expression` */
  path: string;
  before: unknown;
  now: unknown;
}

/** Where two JSON values differ, down to the values that hold no others. Lists are compared whole. */
export function differences(before: unknown, now: unknown, path = ""): Difference[] {
  if (isObject(before) && isObject(now)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
    return names.flatMap((name) =>
      differences(before[name], now[name], path === "" ? name : `${path}.${name}`),
    );
  }
  return JSON.stringify(before ?? null) === JSON.stringify(now ?? null)
    ? []
    : [{ path, before, now }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
