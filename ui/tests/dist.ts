/** Pages from a folder before a server that has none inside: for tries of pages without Rust. */

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { extname, join } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const ELSEWHERE = /^\/(api|graphql|health|metrics|hooks)(\/|$)/;

/** Serves `folder` on `port`, and hands the API's requests on to `server` (`HOST:PORT`). */
export async function serveDist(folder: string, port: number, server: string) {
  const door = createServer((asked, answer) => {
    const path = new URL(asked.url ?? "/", "http://x").pathname;
    if (ELSEWHERE.test(path)) forward(asked, answer, server);
    else void file(folder, path, asked, answer);
  });
  await new Promise<void>((resolve) => door.listen(port, "127.0.0.1", resolve));
  return {
    stop: () =>
      new Promise<void>((resolve) => {
        door.close(() => resolve());
        door.closeAllConnections();
      }),
  };
}

async function file(
  folder: string,
  path: string,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const read = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const name = (await read(path)) ? path : "/index.html";
  answer.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
  // Compressed where there is such a file, as the binary sends it.
  const takesGzip = String(asked.headers["accept-encoding"]).includes("gzip");
  const small = takesGzip ? await read(`${name}.gz`) : undefined;
  if (small) answer.setHeader("content-encoding", "gzip");
  answer.end(small ?? (await read(name)));
}

/** Hands a request on to `server` (`HOST:PORT`), and its answer back. */
export function forward(asked: IncomingMessage, answer: ServerResponse, server: string): void {
  const [host, port] = server.split(":");
  const { url: path, method } = asked;
  const headers = { ...asked.headers, host: server };
  if (headers.origin) headers.origin = `http://${server}`;
  const onward = request({ host, port, path, method, headers }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
    got.on("error", () => answer.destroy());
  });
  onward.on("error", () => answer.destroy());
  answer.on("close", () => onward.destroy());
  asked.pipe(onward);
}
