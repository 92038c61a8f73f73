/** Values of workflow documents, and how they are compared and changed without changing them. */

export type Json = null | boolean | number | string | Json[] | JsonMap;
export type JsonMap = { [key: string]: Json };

/** The way to a value: keys of maps and places in lists. */
export type Path = readonly (string | number)[];

export function isMapValue(value: Json | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two values are the same, whatever the order of their keys. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => same(item, b[at]));
  }
  if (!isMapValue(a) || !isMapValue(b)) return Number.isNaN(a) && Number.isNaN(b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  );
}

/** The value at the end of a path, if the path leads anywhere. */
export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here)) here = here[Number(step)];
    else if (isMapValue(here) && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}

/**
 * A value that differs at one path; what is not on the way is shared. `undefined` takes away, and with
 * it the maps and lists that are empty then.
 */
export function withValue(
  value: Json | undefined,
  path: Path,
  to: Json | undefined,
): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return to;
  if (typeof step === "number") {
    const list = Array.isArray(value) ? value : [];
    const item = withValue(list[step], rest, to);
    const changed =
      item === undefined
        ? list.filter((_, at) => at !== step)
        : list.with(Math.min(step, list.length - 1), item);
    return changed.length > 0 ? changed : undefined;
  }
  const map = isMapValue(value) ? value : {};
  const item = withValue(map[step], rest, to);
  const changed = { ...map };
  if (item === undefined) delete changed[step];
  else changed[step] = item;
  return Object.keys(changed).length > 0 ? changed : undefined;
}
