/** A run that is being watched: its model, and who is told when it changes. */

import { follow, type Message, type StreamState } from "../../api/stream";
import type { TaskDef } from "./definition";
import { RunModel } from "./model/run-model";
import type { Detail, RunEvent, TaskState } from "./model/state";

/** Events that may wait for a frame; a page that is not seen gets none. */
const QUEUE_MOST = 2000;

type Listener = () => void;

export class Live {
  model: RunModel;
  stream: StreamState = "connecting";
  readonly #definition: TaskDef[];
  readonly #reload: () => Promise<Detail>;
  readonly #all = new Set<Listener>();
  readonly #tasks = new Map<string, Set<Listener>>();
  readonly #painters = new Set<(touched: Set<string>) => void>();
  #queue: RunEvent[] = [];
  #frame = 0;
  /** What came since another snapshot was asked for: that one may be older. */
  #since: RunEvent[] | undefined;
  #again = false;
  #revision = 0;

  constructor(detail: Detail, definition: TaskDef[], reload: () => Promise<Detail>) {
    this.model = new RunModel(detail, definition);
    this.#definition = definition;
    this.#reload = reload;
  }

  /** Follows the run's events until the answer is called. */
  start(id: string): () => void {
    const end = follow(`/api/v1/runs/${id}/events`, {
      after: String(this.model.lastSeq),
      onMessages: (messages) => this.feed(messages.map(eventOf)),
      onState: (state) => {
        this.stream = state;
        this.#tell();
      },
    });
    return () => {
      end();
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    };
  }

  /** Takes events up with the next frame: however many come, pages are drawn once for them. */
  feed(events: RunEvent[]): void {
    for (const event of events) this.#queue.push(event);
    if (document.hidden || this.#queue.length > QUEUE_MOST) this.#flush();
    else this.#frame ||= requestAnimationFrame(() => this.#flush());
  }

  /** Shows another snapshot, with what came while it was on its way. */
  reset(detail: Detail, since: RunEvent[] = []): void {
    this.model = new RunModel(detail, this.#definition);
    this.model.take(since);
    this.model.drain();
    this.#again ||= this.model.stale;
    this.#tell();
    for (const listeners of this.#tasks.values()) for (const listener of listeners) listener();
    const touched = new Set(this.model.order);
    for (const paint of this.#painters) paint(touched);
  }

  /** Loads another snapshot and shows it; once more, if it is asked for while one is on its way. */
  async reload(): Promise<void> {
    if (this.#since) {
      this.#again = true;
      return;
    }
    do {
      this.#again = false;
      this.#since = [];
      try {
        const detail = await this.#reload();
        this.reset(detail, this.#since);
      } catch {
        // The events go on; the next one that says so asks again.
      } finally {
        this.#since = undefined;
      }
    } while (this.#again);
  }

  get revision(): number {
    return this.#revision;
  }

  readonly subscribe = (listener: Listener): Listener => {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  };

  /** Tells of one task alone. */
  subscribeTask(name: string, listener: Listener): Listener {
    const listeners = this.#tasks.get(name) ?? new Set();
    this.#tasks.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#tasks.get(name) === listeners) this.#tasks.delete(name);
    };
  }

  /** Tells, once a frame, which tasks changed. */
  onTouched(painter: (touched: Set<string>) => void): Listener {
    this.#painters.add(painter);
    return () => this.#painters.delete(painter);
  }

  task(name: string): TaskState | undefined {
    return this.model.task(name);
  }

  #flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const events = this.#queue;
    this.#queue = [];
    const since = this.#since;
    if (since) for (const event of events) since.push(event);
    this.model.take(events);
    const touched = this.model.drain();
    this.#tell();
    for (const name of touched) for (const listener of this.#tasks.get(name) ?? []) listener();
    for (const paint of this.#painters) paint(touched);
    if (this.model.stale) {
      this.model.stale = false;
      void this.reload();
    }
  }

  #tell(): void {
    this.#revision += 1;
    for (const listener of this.#all) listener();
  }
}

function eventOf(message: Message): RunEvent {
  return JSON.parse(message.data) as RunEvent;
}
