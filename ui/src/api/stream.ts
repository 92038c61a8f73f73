/**
 * Server-sent events that come back by themselves: after a break the stream goes on behind the last
 * event, so that none is missing and none comes twice.
 *
 * The browser's own `EventSource` can show no token; this reads the same format with `fetch`.
 */

import { ApiError, refusal } from "./client";
import { token } from "./token";

/** One event of a stream. */
export interface Message {
  id: string;
  type: string;
  data: string;
}

/** Where a stream stands, for those who look at it. */
export type StreamState = "connecting" | "open" | "away";

export interface StreamOptions {
  /** Events that came together. */
  onMessages: (messages: Message[]) => void;
  onState?: (state: StreamState) => void;
  /** The server refuses the stream for good. */
  onRefused?: (error: ApiError) => void;
  /** The place to begin behind. */
  after?: string;
}

const REST_MS = [250, 500, 1000, 2000, 4000];

/** Follows a stream until the answer is called. */
export function follow(path: string, options: StreamOptions): () => void {
  const end = new AbortController();
  void keep(path, options, end.signal);
  return () => end.abort();
}

async function keep(path: string, options: StreamOptions, signal: AbortSignal): Promise<void> {
  let place = options.after;
  let failures = 0;
  while (!signal.aborted) {
    options.onState?.("connecting");
    try {
      const headers = new Headers({ accept: "text/event-stream" });
      const shown = token();
      if (shown) headers.set("authorization", `Bearer ${shown}`);
      if (place !== undefined) headers.set("last-event-id", place);
      const response = await fetch(path, { headers, signal });
      if (!response.ok || response.body === null) throw await refusal(response);
      options.onState?.("open");
      failures = 0;
      for await (const messages of messagesOf(response.body)) {
        place = messages.at(-1)?.id ?? place;
        const told = messages.filter((message) => message.data !== "");
        if (told.length > 0) options.onMessages(told);
      }
    } catch (error) {
      if (signal.aborted) return;
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      // 429 is no refusal for good.
      if (refused && error.status !== 429) {
        options.onRefused?.(error);
        return;
      }
    }
    options.onState?.("away");
    const rest = REST_MS[Math.min(failures, REST_MS.length - 1)];
    failures += 1;
    await sleep(rest ?? 4000, signal);
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Message[]> {
  const parser = new Parser();
  const reader = body.pipeThrough(new TextDecoderStream() as never).getReader();
  for (;;) {
    const { done, value } = (await reader.read()) as ReadableStreamReadResult<string>;
    if (done) return;
    const messages = parser.take(value);
    if (messages.length > 0) yield messages;
  }
}

/** Reads the format of server-sent events, however it is cut into pieces. */
export class Parser {
  #rest = "";
  #id = "";
  #type = "";
  #data: string[] = [];
  #named = false;

  /** The events that are whole with this piece. One that only names a place has no data. */
  take(piece: string): Message[] {
    const messages: Message[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        const message = this.#finish();
        if (message) messages.push(message);
      } else {
        this.#line(line);
      }
    }
    return messages;
  }

  #line(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") {
      this.#id = value;
      this.#named = true;
    } else if (field === "event") {
      this.#type = value;
    } else if (field === "data") {
      this.#data.push(value);
    }
  }

  #finish(): Message | undefined {
    const message = { id: this.#id, type: this.#type || "message", data: this.#data.join("\n") };
    const any = this.#data.length > 0 || this.#named;
    this.#type = "";
    this.#data = [];
    this.#named = false;
    return any ? message : undefined;
  }
}
