/**
 * Variables of schedules and triggers that are secret. The server shows them as `***` and takes no
 * change with that in it: whoever changes the rest gives them again, or leaves them out.
 */

import { readValue } from "./values";

/** How a secret reads. */
const HIDDEN = "***";

/** A secret that is there, as it is given again. */
export interface Secret {
  name: string;
  value: string;
}

type Variables = Record<string, unknown> | undefined;

/** Those that nobody can read, empty. */
export function secretsOf(variables: Variables): Secret[] {
  return Object.entries(variables ?? {})
    .filter(([, value]) => value === HIDDEN)
    .map(([name]) => ({ name, value: "" }));
}

/** The others, as they stand in a form. */
export function variablesOf(variables: Variables): string {
  const open = Object.entries(variables ?? {}).filter(([, value]) => value !== HIDDEN);
  return open.length === 0 ? "" : JSON.stringify(Object.fromEntries(open), null, 2);
}

/** All of them together, as they are sent; or what is wrong. */
export function withSecrets(
  open: { value: Record<string, unknown> } | { wrong: string },
  secrets: readonly Secret[],
): { value: Record<string, unknown> } | { wrong: string } {
  if ("wrong" in open) return open;
  const again = secrets.map(({ name, value }) => [name, readValue(value)] as const);
  const value = { ...open.value, ...Object.fromEntries(again) };
  const hidden = Object.keys(value).find((name) => value[name] === HIDDEN);
  if (hidden === undefined) return { value };
  return { wrong: `${hidden} is ***: that stands for a secret. Write the secret itself` };
}
