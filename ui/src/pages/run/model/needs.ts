/** What tasks still wait for before they are ready. */

import type { TaskDef } from "../definition";

export class Needs {
  readonly #missing = new Map<string, number>();
  readonly #takers = new Map<string, string[]>();
  readonly #followers = new Map<string, string[]>();

  constructor(
    tasks: TaskDef[],
    isSet: (name: string) => boolean,
    isDone: (name: string) => boolean,
  ) {
    for (const task of tasks) {
      // A condition or a list is evaluated first, and that is an event; so is the end of all.
      if (task.fires || task.barrier) continue;
      const inputs = [...new Set(task.inputs)].filter((name) => !isSet(name));
      const others = [...new Set(task.dependsOn)].filter((name) => !isDone(name));
      this.#missing.set(task.name, inputs.length + others.length);
      for (const name of inputs) push(this.#takers, name, task.name);
      for (const name of others) push(this.#followers, name, task.name);
    }
  }

  /** The tasks that became ready as a variable was set. */
  variable(name: string): string[] {
    return this.#met(this.#takers.get(name) ?? []);
  }

  /** The tasks that became ready as a task settled well. */
  settled(name: string): string[] {
    return this.#met(this.#followers.get(name) ?? []);
  }

  #met(tasks: string[]): string[] {
    return tasks.filter((task) => {
      const left = (this.#missing.get(task) ?? 0) - 1;
      this.#missing.set(task, left);
      return left === 0;
    });
  }
}

function push(all: Map<string, string[]>, key: string, value: string): void {
  const some = all.get(key);
  if (some) some.push(value);
  else all.set(key, [value]);
}
