/** Reads an attempt's log: its last part at once, and what comes as it comes. */

import { refusal } from "../../../api/client";
import { token } from "../../../api/token";
import { LogLines } from "./log-lines";

/** Bytes of the end that are read first. */
export const TAIL = 1024 * 1024;
const REST_MS = 1000;

export interface LogState {
  log: LogLines;
  /** Bytes before what is shown. */
  before: number;
  state: "loading" | "following" | "away" | "ended";
}

/** Reads until the answer is called; tells once a frame at most. */
export function readLog(
  path: string,
  from: "tail" | "start",
  onChange: (state: LogState) => void,
  onError: (error: Error) => void,
): () => void {
  const end = new AbortController();
  const state: LogState = { log: new LogLines(), before: 0, state: "loading" };
  let frame = 0;
  const tell = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      onChange({ ...state });
    });
  };
  read(path, from, state, tell, end.signal).catch((error: unknown) => {
    if (!end.signal.aborted) onError(error instanceof Error ? error : new Error(String(error)));
  });
  return () => {
    end.abort();
    cancelAnimationFrame(frame);
  };
}

async function read(
  path: string,
  from: "tail" | "start",
  state: LogState,
  tell: () => void,
  signal: AbortSignal,
): Promise<void> {
  const decoder = new TextDecoder();
  let place = from === "tail" ? await tail(path, state, decoder, signal) : 0;
  while (!signal.aborted) {
    state.state = "following";
    tell();
    try {
      const response = await ask(
        `${path}${path.includes("?") ? "&" : "?"}follow=true&from=${place}`,
        {},
        signal,
      );
      if (!response.ok || !response.body) throw await refusal(response);
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        place += value.byteLength;
        state.log.take(decoder.decode(value, { stream: true }));
        tell();
      }
      state.state = "ended";
      tell();
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TypeError)) throw error;
      // The server went away; what was read so far is behind us.
      state.state = "away";
      tell();
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }
}

/** Reads the last part; the place behind it. */
async function tail(
  path: string,
  state: LogState,
  decoder: TextDecoder,
  signal: AbortSignal,
): Promise<number> {
  const response = await ask(path, { range: `bytes=-${TAIL}` }, signal);
  // Nothing was written yet.
  if (response.status === 416) return 0;
  if (!response.ok) throw await refusal(response);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const [, first, all] =
    /bytes (\d+)-\d+\/(\d+)/.exec(response.headers.get("content-range") ?? "") ?? [];
  state.before = Number(first ?? 0);
  // The first line of a part is a part of a line.
  const begin = state.before > 0 ? bytes.indexOf(10) + 1 : 0;
  state.before += begin;
  state.log.take(decoder.decode(bytes.subarray(begin), { stream: true }));
  return all === undefined ? bytes.byteLength : Number(all);
}

function ask(path: string, more: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const headers = new Headers(more);
  const shown = token();
  if (shown) headers.set("authorization", `Bearer ${shown}`);
  return fetch(path, { headers, signal });
}
