/**
 * What happens on the server, as it happens: one stream for all pages.
 *
 * It is open while somebody listens or watches the connection. Whoever looks at something that
 * events change asks for it again when they come (`useLive`), at most so many times a second.
 */

import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { follow, type Message, type StreamState } from "./stream";
import { onToken } from "./token";

/** One event of a run, as much of it as all have. */
export interface LiveEvent {
  run: string;
  seq: number;
  at: string;
  type: string;
  /** In `run.started` alone. */
  namespace?: string;
  /** In `run.started` alone. */
  workflow?: string;
}

/** Which events somebody wants to hear of; all that is left out. */
export interface LiveFilter {
  /** `run.finished`, or `task.` for the whole family. */
  types?: readonly string[];
  run?: string;
}

/** `refused` where the caller may not listen: pages then show what they asked for last. */
export type Connection = StreamState | "refused";

type Listener = (events: LiveEvent[]) => void;

/** Whether a filter lets an event through. */
export function passes(filter: LiveFilter, event: LiveEvent): boolean {
  if (filter.run !== undefined && filter.run !== event.run) return false;
  const { types } = filter;
  if (types === undefined) return true;
  return types.some((type) =>
    type.endsWith(".") ? event.type.startsWith(type) : event.type === type,
  );
}

class Live {
  readonly #listeners = new Map<Listener, LiveFilter>();
  readonly #watchers = new Set<() => void>();
  #connection: Connection = "connecting";
  #place: string | undefined;
  #end: (() => void) | undefined;

  constructor() {
    // Another token hears of other things.
    onToken(() => {
      this.#stop();
      this.#place = undefined;
      this.#begin();
    });
  }

  /** Hears of events until the answer is called. */
  listen(filter: LiveFilter, listener: Listener): () => void {
    this.#listeners.set(listener, filter);
    this.#begin();
    return () => {
      this.#listeners.delete(listener);
      this.#rest();
    };
  }

  /** Is told when the connection changes, until the answer is called. */
  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    this.#begin();
    return () => {
      this.#watchers.delete(watcher);
      this.#rest();
    };
  };

  connection = (): Connection => this.#connection;

  #begin(): void {
    if (this.#end || this.#listeners.size + this.#watchers.size === 0) return;
    const place = this.#place;
    this.#end = follow("/api/v1/events", {
      ...(place !== undefined && { after: place }),
      onMessages: (messages) => this.#tell(messages),
      onState: (state) => this.#change(state),
      onRefused: () => this.#change("refused"),
    });
  }

  #rest(): void {
    if (this.#listeners.size + this.#watchers.size === 0) this.#stop();
  }

  #stop(): void {
    this.#end?.();
    this.#end = undefined;
    this.#connection = "connecting";
  }

  #change(connection: Connection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    for (const watcher of this.#watchers) watcher();
  }

  #tell(messages: Message[]): void {
    this.#place = messages.at(-1)?.id ?? this.#place;
    const events = messages.map((message) => JSON.parse(message.data) as LiveEvent);
    for (const [listener, filter] of this.#listeners) {
      const wanted = events.filter((event) => passes(filter, event));
      if (wanted.length > 0) listener(wanted);
    }
  }
}

/** The one stream of the page. */
export const live = new Live();

/** How the stream stands. */
export function useConnection(): Connection {
  return useSyncExternalStore(live.watch, live.connection);
}

/** Calls something for events, while the component is shown. */
export function useEvents(filter: LiveFilter, listener: (events: LiveEvent[]) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  const { run } = filter;
  const types = filter.types?.join(" ");
  useEffect(() => {
    const wanted: LiveFilter = {
      ...(run !== undefined && { run }),
      ...(types !== undefined && { types: types.split(" ") }),
    };
    return live.listen(wanted, (events) => latest.current(events));
  }, [run, types]);
}

/**
 * Asks again for what is kept under a key when such events come: at once for the first, and then
 * at most every `every` milliseconds however many there are.
 */
export function useLive(filter: LiveFilter, key: QueryKey, every = 1000): void {
  const client = useQueryClient();
  const throttle = useRef<Throttle>(undefined);
  throttle.current ??= new Throttle();
  throttle.current.every = every;
  throttle.current.act = () => void client.invalidateQueries({ queryKey: key });
  useEffect(() => () => throttle.current?.cancel(), []);
  useEvents(filter, () => throttle.current?.poke());
}

/** Does something at once, and then not again before a while has passed. */
export class Throttle {
  every = 1000;
  act: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;

  poke(): void {
    if (this.#timer !== undefined) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.act();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) this.poke();
    }, this.every);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
  }
}
