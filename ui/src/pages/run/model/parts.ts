/** What the items of `for_each` tasks emitted, until it is gathered. */

import type { Output } from "./state";

export class Parts {
  readonly #parts = new Map<string, Map<number, Output[]>>();

  add(task: string, item: number, outputs: Output[]): void {
    const parts = this.#parts.get(task) ?? new Map<number, Output[]>();
    this.#parts.set(task, parts.set(item, outputs));
  }

  /** The task's own outputs: a list of each variable, in the order of the items. */
  gather(task: string): Output[] {
    const parts = [...(this.#parts.get(task) ?? [])].sort(([a], [b]) => a - b);
    this.#parts.delete(task);
    const lists = new Map<string, { value: unknown[]; secret: boolean }>();
    for (const [, outputs] of parts) {
      for (const { name, value, secret, declared } of outputs) {
        if (declared === false) continue;
        const list = lists.get(name) ?? { value: [], secret: false };
        lists.set(name, list);
        list.value.push(value);
        list.secret ||= secret === true;
      }
    }
    return [...lists].map(([name, list]) => ({ name, ...list }));
  }
}
