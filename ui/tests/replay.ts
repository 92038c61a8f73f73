/** Events that never happened, told to a page as fast as it takes them. */

import { createServer, type ServerResponse } from "node:http";
import { forward } from "./dist";

const STREAM = /^\/api\/v1\/(runs\/[^/]+\/)?events$/;
/** Events that are written at once. */
const TOGETHER = 500;
/** Milliseconds between two events of the time that is replayed: 200 a second. */
const APART_MS = 5;

/** A door before a server: its streams of events are told what a test says, all else is the server's. */
export class Replay {
  readonly url: string;
  readonly #streams = new Set<ServerResponse>();
  readonly #close: () => Promise<void>;

  private constructor(url: string, streams: Set<ServerResponse>, close: () => Promise<void>) {
    this.url = url;
    this.#streams = streams;
    this.#close = close;
  }

  static async before({ url }: { url: string }): Promise<Replay> {
    const { host } = new URL(url);
    const streams = new Set<ServerResponse>();
    const door = createServer((asked, answer) => {
      if (!STREAM.test(new URL(asked.url ?? "/", url).pathname)) {
        forward(asked, answer, host);
        return;
      }
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.flushHeaders();
      streams.add(answer);
      answer.on("close", () => streams.delete(answer));
    });
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    const address = door.address();
    if (address === null || typeof address === "string") throw new Error("no port is free");
    return new Replay(`http://127.0.0.1:${address.port}`, streams, async () => {
      const closed = new Promise((resolve) => door.close(resolve));
      door.closeAllConnections();
      await closed;
    });
  }

  /** How many streams are listened to. */
  get listeners(): number {
    return this.#streams.size;
  }

  /** Tells the next so many events to all who listen; done when they are on their way. */
  async tell(events: Iterator<Told>, count: number): Promise<void> {
    for (let left = count; left > 0; left -= TOGETHER) {
      let text = "";
      for (let at = 0; at < Math.min(left, TOGETHER); at += 1) {
        const { value, done } = events.next();
        if (done) throw new Error("there are no more events");
        text += `id: ${value.seq}\nevent: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
      }
      await Promise.all([...this.#streams].map((stream) => written(stream, text)));
    }
  }

  stop(): Promise<void> {
    return this.#close();
  }
}

function written(stream: ServerResponse, text: string): Promise<void> {
  if (stream.write(text)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

/** An event of a run, as much of it as all have. */
export interface Told {
  run: string;
  seq: number;
  at: string;
  type: string;
}

/** The time of the next event, from an hour ago on. */
function clock(): () => string {
  let now = Date.now() - 3_600_000;
  return () => {
    now += APART_MS;
    return new Date(now).toISOString();
  };
}

/** Tasks of a run that are tried again and again, and fail each time. */
export function* attemptsOf(run: string, tasks: string[], after: number): Generator<Told> {
  const now = clock();
  const failure = { kind: "exit", code: "L401", message: "status 75", retryable: true };
  let seq = after;
  for (let attempt = 1; ; attempt += 1) {
    for (const task of tasks) {
      seq += 1;
      yield told({ run, seq, at: now(), type: "task.started" }, { task, attempt });
      seq += 1;
      const at = now();
      yield told({ run, seq, at, type: "task.failed" }, { task, attempt, failure, retry_at: at });
    }
  }
}

/** Runs that begin, do a few tasks, and end. */
export function* runsOf(workflow: string): Generator<Told> {
  const now = clock();
  for (let count = 0; ; count += 1) {
    const run = `replayed-${count}`;
    let seq = 0;
    const next = (type: string, more: object) => {
      seq += 1;
      return told({ run, seq, at: now(), type }, more);
    };
    yield next("run.started", { namespace: "default", workflow, version: "0.1.0" });
    for (let at = 0; at < 8; at += 1) {
      yield next("task.started", { task: `t${at}`, attempt: 1 });
      yield next("task.succeeded", { task: `t${at}`, attempt: 1, outputs: [] });
    }
    yield next("run.finished", { outcome: count % 5 === 0 ? "failed" : "succeeded" });
  }
}

function told(event: Told, more: object): Told {
  return { ...event, ...more };
}
