/** Reads what is typed: what would make the page stand still, beside it. */

import { isNear } from "../document/source";
import { type View, view } from "../document/view";

export class Reader {
  #worker: Worker | undefined;

  /** Answers with what a text says; of several that are asked for, each in turn. */
  read(text: string, onRead: (seen: View) => void): void {
    if (isNear(text)) {
      onRead(view(text));
      return;
    }
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
