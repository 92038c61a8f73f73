/** Reads what is typed beside the page, which does not stand still for it. */

import { type View, view } from "../document/view";

export class Reader {
  #worker: Worker | undefined;

  /** Answers with what a text says; of several that are asked for, each in turn. */
  read(text: string, onRead: (seen: View) => void): void {
    this.#worker ??= new Worker(new URL("../document/view.worker.ts", import.meta.url), {
      type: "module",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<View>) => onRead(data);
    // Without it, for its file cannot be had, the page reads by itself.
    this.#worker.onerror = () => onRead(view(text));
    this.#worker.postMessage(text);
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
