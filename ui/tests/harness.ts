/**
 * The stage of the end-to-end tests: a real server in a folder of its own, and real Chromium.
 *
 * `LOOM_BIN` names the binary (`../target/debug/loom`), `CHROMIUM` the browser
 * (`/usr/bin/chromium`). With `LOOM_UI_DIST` the pages come from that folder instead of the binary.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { serveDist } from "./dist";

const BINARY = resolve(import.meta.dirname, process.env.LOOM_BIN ?? "../../target/debug/loom");
const ARTIFACTS = join(import.meta.dirname, "artifacts");
const PATIENCE_MS = 30_000;

/** A server that runs on a free port of loopback. */
export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "loom-e2e-"));
  /** Where its pages are. */
  readonly url: string;
  readonly #address: string;
  /** Further arguments of `loom serve`. */
  readonly args: string[];
  #process: ChildProcess | undefined;
  #dist: { stop: () => Promise<void> } | undefined;
  token: string | undefined;

  private constructor(port: number, pages: number, args: string[]) {
    this.#address = `127.0.0.1:${port}`;
    this.url = `http://127.0.0.1:${pages}`;
    this.args = [...args];
  }

  /** Starts one; it stands when this is done. */
  static async start(args: string[] = [], prepare?: (server: Server) => Promise<void>) {
    const port = await freePort();
    const dist = process.env.LOOM_UI_DIST;
    const pages = dist ? await freePort() : port;
    const server = new Server(port, pages, args);
    await prepare?.(server);
    if (dist) server.#dist = await serveDist(resolve(dist), pages, server.#address);
    await server.begin();
    return server;
  }

  /**
   * A store of its own, whatever lies in the folders above. Commands of tasks see where it is: those
   * that wait end with it.
   */
  #env(): NodeJS.ProcessEnv {
    return { ...process.env, LOOM_STORE: join(this.folder, "store") };
  }

  /** Starts the process (again). */
  async begin(): Promise<void> {
    const child = spawn(BINARY, ["serve", "--listen", this.#address, ...this.args], {
      cwd: this.folder,
      env: this.#env(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr?.on("data", (data) => {
      said = (said + data).slice(-4000);
    });
    this.#process = child;
    await until(`the server stands: ${BINARY}`, async () => {
      if (child.exitCode !== null) throw new Error(`the server ended: ${said}`);
      const answer = await fetch(`http://${this.#address}/health/ready`).catch(() => undefined);
      return answer?.ok;
    });
  }

  /** Ends the process, at once by `SIGKILL`. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
    await this.#dist?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs another command of the binary in the server's folder; its output. */
  async loom(...args: string[]): Promise<string> {
    const child = spawn(BINARY, args, {
      cwd: this.folder,
      env: this.#env(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout?.on("data", (data) => {
      said += data;
    });
    const status = await new Promise((resolve) => child.once("close", resolve));
    if (status !== 0) throw new Error(`loom ${args.join(" ")} ended with ${status}`);
    return said;
  }

  /** Calls the API; the answer's JSON. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<T> {
    const headers = new Headers();
    if (this.token) headers.set("authorization", `Bearer ${this.token}`);
    if (body !== undefined) headers.set("content-type", type);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(`http://${this.#address}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: text }),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return (said === "" ? {} : JSON.parse(said)) as T;
  }

  /** Registers a workflow's text. */
  register(text: string): Promise<unknown> {
    return this.call("POST", "/api/v1/workflows", text, "application/yaml");
  }

  /** Starts a run; its identity. */
  async run(workflow: string, more: Record<string, unknown> = {}): Promise<string> {
    const made = await this.call<{ id: string }>("POST", "/api/v1/runs", { workflow, ...more });
    return made.id;
  }

  /** Waits until a run is in one of these states. */
  async reach(run: string, ...states: string[]): Promise<void> {
    await until(`run ${run} is ${states}`, async () => {
      const { state } = await this.call<{ state: string }>("GET", `/api/v1/runs/${run}`);
      return states.includes(state);
    });
  }
}

/** Chromium without a window. It resolves no name: what would leave the machine fails. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
}

export interface Visit {
  page: Page;
  /** Errors of the page: what its console complained of, and what nobody caught. */
  complaints: string[];
  /** Hosts that were asked for something. */
  hosts: Set<string>;
}

/** A page in a fresh profile, and what goes wrong in it. */
export async function visit(
  browser: Browser,
  server: Pick<Server, "url">,
  path = "/",
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: WIDE,
    reducedMotion: "reduce",
    acceptDownloads: true,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith("http") || protocol.startsWith("ws")) hosts.add(host);
  });
  await page.goto(server.url + path);
  return { page, complaints, hosts };
}

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

/** Pictures of a page, light and dark, wide and narrow, as `artifacts/NAME-….png`. */
export async function pictures(page: Page, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  for (const [width, size] of Object.entries({ wide: WIDE, narrow: NARROW })) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(ARTIFACTS, `${name}-${width}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
}

/** What axe finds that is serious or worse, light and dark; nothing, where all is well. */
export async function barriers(page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.evaluate(axe.source);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => {
      const { axe } = window as unknown as { axe: typeof import("axe-core") };
      return axe.run(document, { resultTypes: ["violations"] });
    });
    for (const { id, impact, nodes } of violations) {
      if (impact !== "serious" && impact !== "critical") continue;
      found.push(`${colorScheme}: ${id}: ${nodes.map((node) => node.html).join(" | ")}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

/** Whether something sticks out of the window sideways. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { documentElement } = document;
    const main = document.querySelector("main");
    const wide = (element: Element | null) =>
      element !== null && element.scrollWidth > element.clientWidth + 1;
    return wide(documentElement) || wide(main);
  });
}

/** Asks again and again until the answer is yes. */
export async function until(what: string, look: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
