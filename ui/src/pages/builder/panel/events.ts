/** Custom events of a task, as rows of a form. */

import { isMapValue, type Json, type JsonMap } from "../document/json";
import { textOf } from "../document/view";

export interface Announced {
  name: string;
  on: string | undefined;
  /** The variables that go with it; all declared outputs if nothing is said. */
  payload: string[] | undefined;
}

/** The most that a task may have. */
export const MOST = 32;
const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
const LONGEST = 100;

/** The events; none if they are written as what they cannot be. */
export function eventsOf(value: Json | undefined): Announced[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isEvent)) return undefined;
  return value.map((event): Announced => {
    if (!isMapValue(event)) return { name: textOf(event), on: undefined, payload: undefined };
    const { name, on, payload } = event;
    return {
      name: textOf(name),
      on: typeof on === "string" ? on : undefined,
      payload: Array.isArray(payload) ? (payload as string[]) : undefined,
    };
  });
}

function isEvent(event: Json): boolean {
  if (typeof event === "string") return true;
  if (!isMapValue(event)) return false;
  const { name, on, payload, ...rest } = event;
  const isList = Array.isArray(payload) && payload.every((item) => typeof item === "string");
  return (
    typeof name === "string" &&
    (on === undefined || typeof on === "string") &&
    (payload === undefined || isList) &&
    Object.keys(rest).length === 0
  );
}

/** The events as they are written: a name alone where that says it all. */
export function writtenEvents(events: readonly Announced[]): Json[] | undefined {
  if (events.length === 0) return undefined;
  return events.map(({ name, on, payload }) => {
    if (on === undefined && payload === undefined) return name;
    const event: JsonMap = { name };
    if (on !== undefined) event.on = on;
    if (payload !== undefined) event.payload = payload;
    return event;
  });
}

/** What is wrong with a name. */
export function wrongName(name: string): string | undefined {
  if (name.length > LONGEST) return `A name has at most ${LONGEST} characters.`;
  return NAME.test(name) ? undefined : "Words of a-z, 0-9, _ and - with dots between them.";
}
