/** A new task of a plugin, with what the plugin says of itself. */

import { freeName } from "../document/change";
import type { JsonMap } from "../document/json";
import type { View } from "../document/view";
import type { Plugin } from "./bench";

export function freshTask(view: View, name: string, plugin: Plugin | undefined): JsonMap {
  const taken = new Set(view.tasks.map((task) => task.name));
  const task: JsonMap = { name: freeName(taken, name.replaceAll(/[^\w]+/g, "_")), plugin: name };
  const sure = plugin?.outputs.filter((output) => !output.endsWith("?")) ?? [];
  const outputs =
    sure.length > 0
      ? sure
      : (plugin?.outputs ?? []).slice(0, 1).map((output) => output.replace("?", ""));
  const inputs = plugin?.inputs ?? [];
  if (name === "start") task.outputs = ["TRUE"];
  else if (outputs.length > 0) task.outputs = outputs;
  if (name === "end") task.inputs = ["TRUE"];
  else if (inputs.length > 0) task.inputs = [...inputs];
  return task;
}
