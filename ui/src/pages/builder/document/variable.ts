/** A variable's name, and how it gets another one wherever a text speaks of it. */

import { changed, set } from "./change";
import { cutRange } from "./cuts";
import { isMapValue, type JsonMap } from "./json";
import { mentionsOf } from "./mentions";
import { read, type Source } from "./source";
import { mapOf, outputOf, textsOf, type View } from "./view";

export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The text in which a variable has another name, and nothing else has changed. */
export function withVariableRenamed(text: string, from: string, to: string): string {
  const source = read(text);
  if (source.slips.length > 0 || from === to) return text;
  const cuts = mentionsOf(source, from).map(({ from: at, bare }) => ({
    from: at,
    to: at + from.length,
    // Words of YAML are no names without quotes.
    insert: bare && /^(null|true|false)$/i.test(to) ? `"${to}"` : to,
  }));
  const renamed = cutRange(text, cuts);
  const { workflow } = mapOf(source.value);
  const secret = isSecretByName(mapOf(workflow), from) && !SECRET_NAME.test(to);
  if (!secret) return renamed;
  return changed(renamed, set(["secrets"], [...textsOf(mapOf(workflow).secrets), to]));
}

/** What a variable's name ends in that is secret for that alone. */
const SECRET_NAME = /(TOKEN|SECRET|PASSWORD|KEY)$/;

/** Whether a variable is masked because of its name, which it is if it is made from the environment. */
function isSecretByName(workflow: JsonMap, name: string): boolean {
  const value = JSON.stringify(mapOf(workflow.env)[name] ?? null);
  const hosts = [...value.matchAll(/\{\{\s*ENV:\s*(\w*)\s*\}\}/g)].map(([, host]) => host ?? "");
  const listed = textsOf(workflow.secrets).includes(name);
  const byHost = hosts.some((host) => SECRET_NAME.test(host));
  return !listed && SECRET_NAME.test(name) && hosts.length > 0 && !byHost;
}

/** Names that mean something to the engine. */
const ENGINE = new Set(["MAX_WORKERS", "AUTH_TOKEN", "ITEM", "ITEM_INDEX", "TRUE"]);
/** Names that built-in plugins know without declaring them. */
const TAKEN: Record<string, readonly string[]> = { touched: ["TIMEOUT"] };
const GIVEN: Record<string, readonly string[]> = { http: ["STATUS", "BODY"] };

/** What is known of a plugin's variables. */
export interface Fixed {
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
}

/** Why a variable has to keep its name, if it has to. */
export function keepsName(
  { tasks, workflow }: Pick<View, "tasks" | "workflow">,
  plugins: readonly Fixed[],
  name: string,
): string | undefined {
  const isSet = tasks.some(({ outputs }) => outputs.some((output) => output.name === name));
  if (ENGINE.has(name) && !(name === "TRUE" && isSet)) {
    return `${name} means something to Loomwork itself.`;
  }
  for (const { plugin, inputs, outputs, value, name: task } of tasks) {
    const known = plugins.find((other) => other.name === plugin);
    const declared = (known?.outputs ?? []).map((output) => outputOf(output).name);
    const picked = mapOf(value.params).outputs;
    const given = [...declared, ...(GIVEN[plugin] ?? [])].includes(name);
    const picks = isMapValue(picked) && Object.hasOwn(picked, name);
    if (outputs.some((output) => output.name === name) && given && !picks) {
      return `${task} sets it, and the plugin ${plugin} knows it by this name.`;
    }
    const taken = [...(known?.inputs ?? []), ...(TAKEN[plugin] ?? [])].includes(name);
    if (inputs.includes(name) && taken) {
      return `${task} takes it, and the plugin ${plugin} knows it by this name.`;
    }
  }
  const nowhere = !isSet && !Object.hasOwn(mapOf(workflow.env), name);
  return nowhere && !tasks.some(({ inputs }) => inputs.includes(name))
    ? `Nothing sets or takes ${name}.`
    : undefined;
}

/** Why a name cannot be given to a variable, if it cannot. */
export function refused(source: Source, name: string): string | undefined {
  if (!VARIABLE.test(name)) {
    return "A name has letters, digits and _ alone, and does not begin with a digit.";
  }
  if (ENGINE.has(name)) return `${name} means something to Loomwork itself.`;
  const [other] = mentionsOf(source, name);
  if (!other) return undefined;
  const { line } = source.lines.linePos(other.from);
  return `${name} is another variable already (line ${line}).`;
}
