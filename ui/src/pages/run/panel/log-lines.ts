/** What an attempt wrote, line by line, however it is cut into pieces. */

/** Lines that are kept; the newest ones. */
export const LINES_MOST = 50_000;
/** Characters of a line that are kept. */
const LINE_MOST = 4000;

export interface LogLine {
  /** As it was written, with its colours. */
  raw: string;
  /** Without them. */
  text: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
const COLOURS = /\u001b\[[0-9;?]*[A-Za-z]|\u001b\][^\u0007]*\u0007/g;

export class LogLines {
  lines: LogLine[] = [];
  /** Lines that came before those that are kept. */
  dropped = 0;
  revision = 0;
  #rest = "";
  #hasRest = false;

  /** Takes a piece; a line that is not whole yet is shown as far as it goes. */
  take(piece: string): void {
    if (piece === "") return;
    const parts = (this.#rest + piece).split("\n");
    if (this.#hasRest) this.lines.pop();
    this.#rest = parts.pop() ?? "";
    this.#hasRest = this.#rest !== "";
    for (const part of parts) this.lines.push(lineOf(part));
    if (this.#hasRest) this.lines.push(lineOf(this.#rest));
    const over = this.lines.length - LINES_MOST;
    if (over > 0) {
      this.lines = this.lines.slice(over);
      this.dropped += over;
    }
    this.revision += 1;
  }

  /** The places of lines that have this, in any case. */
  find(sought: string): number[] {
    const small = sought.toLowerCase();
    const found: number[] = [];
    if (small === "") return found;
    this.lines.forEach((line, at) => {
      if (line.text.toLowerCase().includes(small)) found.push(at);
    });
    return found;
  }
}

function lineOf(raw: string): LogLine {
  // What a progress bar writes over itself ends as its last state.
  const written = raw.replace(/\r$/, "");
  const last = written.slice(written.lastIndexOf("\r") + 1);
  const kept = last.length > LINE_MOST ? `${last.slice(0, LINE_MOST)} …` : last;
  return { raw: kept, text: kept.includes("\u001b") ? kept.replace(COLOURS, "") : kept };
}
