/** Keys of the workflow file, offered as somebody types, by where the cursor stands. */

import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";

const WORKFLOW = {
  name: "what it is called",
  namespace: "who owns the name",
  version: "a semantic version",
  description: "for people",
  tags: "for people and tools",
  env: "variables set before the first task",
  secrets: "names of variables that are masked",
  on_failure: "continue or stop",
  tasks: "the tasks",
};
const TASK = {
  name: "unique in the workflow",
  plugin: "what it runs",
  description: "for people",
  inputs: "variables that it waits for",
  outputs: "variables that it sets",
  params: "the plugin's parameters",
  when: "an expression; the task is skipped unless it holds",
  for_each: "once for each item of a list",
  retry: "how often a failed attempt is tried again",
  allow_failure: "the run may succeed although this fails",
  requires_auth: "needs its plugin's permissions",
  permissions: "further permissions",
  execution: "when and where it runs",
  contract: "JSON Schemas of outputs and errors",
  events: "events that it announces",
  annotations: "notes without effect",
};
const EXECUTION = {
  async: "false runs it alone within its run",
  timeout: "the longest that an attempt may take",
  workers: "the most instances at once",
  depends_on: "tasks that must have succeeded first",
  parallel_group: "a label in pictures",
  sync_before: "asserts that it is a join",
  sync_after: "asserts that a join follows",
  queue: "names the limit that it counts against",
  priority: "higher goes first",
};
const RETRY = {
  max_attempts: "the first included",
  backoff: "none, fixed, linear or exponential",
  initial: "the first wait",
  max: "the longest wait",
  jitter: "the share of a wait that is random",
};
const INSIDE: Record<string, Record<string, string>> = {
  workflow: WORKFLOW,
  tasks: TASK,
  execution: EXECUTION,
  retry: RETRY,
  permissions: { required: "a list of permissions" },
  contract: { success: "schema of the outputs", error: "schema of ERROR" },
};

export function completions(context: CompletionContext): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const typed = /^(\s*(?:- )?)(\w*)$/.exec(before);
  if (!typed) return null;
  const [, lead = "", word = ""] = typed;
  if (word === "" && !context.explicit) return null;
  const keys = INSIDE[ownerOf(context, line.number, lead.length) ?? ""];
  if (!keys) return null;
  return {
    from: context.pos - word.length,
    options: Object.entries(keys).map(([key, detail]) => ({
      label: key,
      detail,
      apply: `${key}: `,
      type: "property",
    })),
    validFor: /^\w*$/,
  };
}

/** The key that a line stands under, by indentation. */
function ownerOf({ state: { doc } }: CompletionContext, from: number, indent: number) {
  let least = indent;
  for (let number = from - 1; number >= 1; number -= 1) {
    const found = /^(\s*(?:- )?)(\w+):\s*(#.*)?$/.exec(doc.line(number).text);
    const text = doc.line(number).text;
    const own = /^\s*(?:- )?/.exec(text)?.[0].length ?? 0;
    if (text.trim() === "" || text.trim().startsWith("#") || own >= least) continue;
    if (found) return found[2];
    least = own;
  }
  return undefined;
}
