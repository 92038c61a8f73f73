import { createHmac } from "node:crypto";
import { createServer, type Server as Http, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, Server, until, visit } from "./harness";
import { confirm, inspect } from "./steps";

const HELLO =
  "workflow:\n  name: hello\n  tasks:\n    - { name: a, plugin: cmd, params: { command: 'echo hi' } }\n";

interface Delivery {
  id: string;
  type: string;
  /** Whether a secret signed it. */
  signedBy: (secret: string) => boolean;
}

/** A receiver that takes what comes, or answers with another status. */
class Receiver {
  readonly got: Delivery[] = [];
  status = 204;
  readonly #server: Http;

  constructor() {
    this.#server = createServer((asked, answer) => {
      void this.#take(asked).then(() => answer.writeHead(this.status).end());
    });
  }

  async begin(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(asked: IncomingMessage): Promise<void> {
    let body = "";
    for await (const piece of asked) body += piece;
    const id = String(asked.headers["webhook-id"]);
    const signed = `${id}.${asked.headers["webhook-timestamp"]}.${body}`;
    const signatures = String(asked.headers["webhook-signature"]).split(" ");
    const { type } = JSON.parse(body) as { type: string };
    const signedBy = (secret: string) => {
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      return signatures.includes(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
    };
    this.got.push({ id, type, signedBy });
  }
}

let server: Server;
let browser: Browser;
let receiver: Receiver;
let address: string;

beforeAll(async () => {
  receiver = new Receiver();
  address = await receiver.begin();
  server = await Server.start(["--private-receivers"]);
  await server.register(HELLO);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await receiver?.end();
});

test("a webhook is made, told, tested, failing, replayed, rotated and deleted", async () => {
  const { page, complaints } = await visit(browser, server, "/webhooks");
  await page.getByText("Nobody is told of what happens").waitFor();
  await inspect(page, "webhooks-empty");
  await page.getByRole("button", { name: "New webhook" }).first().click();
  await page.getByLabel("Address that events are posted to").fill(address);
  await page.getByLabel("What it is for").fill("Tells the shop");
  await page.getByLabel("Events that are posted").selectOption("chosen");
  await page.getByRole("checkbox", { name: "run.started" }).check();
  await page.getByText("When a delivery fails").click();
  await page.getByLabel("Tries in all").fill("1");
  await inspect(page, "webhook-form");
  await confirm(page, "Make it");
  const shown = page.getByRole("dialog", { name: "The signing secret" });
  const secret = (await shown.getByText(/^whsec_/).textContent()) ?? "";
  await inspect(page, "webhook-secret");
  await confirm(page, "I have it");
  expect(await page.content()).not.toContain(secret);

  await server.run("hello");
  await until("both events have come", async () => receiver.got.length === 2);
  expect(receiver.got.map(({ type }) => type)).toEqual(["run.started", "run.finished"]);
  expect(receiver.got.every((it) => it.signedBy(secret))).toBe(true);
  const row = page.getByRole("row", { name: /Tells the shop/ });
  await row.getByText("Delivering").waitFor();
  await row.locator("time").waitFor();
  await row.getByRole("button", { name: /^Test/ }).click();
  await confirm(page, "Post a test");
  await page.getByText("The test was taken, with status 204").waitFor();
  expect(receiver.got.at(-1)?.type).toBe("webhook.test");

  receiver.status = 503;
  await row.getByRole("button", { name: /^Test/ }).click();
  await confirm(page, "Post a test");
  await page.getByText(/The test was not taken: .*503/).waitFor();
  await confirm(page, "Not now");
  await server.run("hello");
  await server.run("hello");
  await row.getByText("Paused", { exact: true }).waitFor();
  await row.getByText(/3 deliveries in a row were given up/).waitFor();
  await row.getByText("Dead deliveries").waitFor();
  await inspect(page, "webhooks");
  await page.getByLabel("State").selectOption("delivering");
  await page.getByText("No webhook is like that").waitFor();
  await page.getByLabel("State").selectOption("paused");

  await row.getByRole("link", { name: /hook/ }).first().click();
  await page.waitForURL("**/webhooks/*");
  const dead = page.getByRole("region", { name: "Dead deliveries" });
  await dead
    .getByRole("row", { name: /run\.finished/ })
    .first()
    .waitFor();
  await inspect(page, "webhook");
  await dead
    .getByRole("button", { name: /^Show what/ })
    .first()
    .click();
  await page.getByRole("dialog").getByText('"workflow": "hello"').waitFor();
  await confirm(page, "Close");
  await dead
    .getByRole("button", { name: /^Replay/ })
    .first()
    .click();
  await confirm(page, "Replay");
  await page.getByText(/It was not taken: .*503/).waitFor();
  receiver.status = 200;
  await confirm(page, "Replay");
  await page
    .getByText(/was taken/)
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Replay all" }).click();
  await confirm(page, "Replay all");
  await page.getByText(/None\. A delivery that fails/).waitFor();
  await page.getByRole("button", { name: /go on$/ }).click();
  await confirm(page, "Go on");
  await page.getByText("Delivering").waitFor();
  await until("every event has come", async () => {
    const events = receiver.got.filter(({ type }) => type !== "webhook.test");
    return new Set(events.map(({ id }) => id)).size === 6;
  });

  await page.getByRole("button", { name: /^Give .* a new secret/ }).click();
  await confirm(page, "Make a new secret");
  const other = (await shown.getByText(/^whsec_/).textContent()) ?? "";
  await confirm(page, "I have it");
  expect(other).not.toBe(secret);
  await page.getByText("good until").waitFor();
  await page.getByRole("button", { name: /^Test/ }).click();
  await confirm(page, "Post a test");
  await until("a test has come", async () => receiver.got.at(-1)?.type === "webhook.test");
  expect(receiver.got.at(-1)?.signedBy(secret)).toBe(true);
  expect(receiver.got.at(-1)?.signedBy(other)).toBe(true);

  await page.getByRole("button", { name: /^Change/ }).click();
  await page.getByLabel("Events that are posted").selectOption("all");
  await confirm(page, "Save");
  await page.getByText("The webhook is changed").waitFor();
  await page.getByRole("button", { name: /^Pause/ }).click();
  await page.getByLabel("Reason").fill("The shop moves house");
  await confirm(page, "Pause");
  await page.getByText(/Paused by local .*: The shop moves house/).waitFor();
  await page.getByRole("button", { name: /^Delete/ }).click();
  await confirm(page, "Delete");
  await page.getByText("Nobody is told of what happens").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who may only look is offered nothing to do", async () => {
  const guarded = await Server.start(["--access", "--private-receivers"], async (it) => {
    const made = await it.loom("--json", "token", "create", "ann", "--role", "author");
    it.token = JSON.parse(made).token;
  });
  await guarded.call("POST", "/api/v1/webhooks", { url: address, description: "Tells" });
  const made = await guarded.loom("--json", "token", "create", "vera", "--role", "viewer");
  const { page } = await visit(browser, guarded, "/webhooks");
  await page.getByLabel("Token").fill(JSON.parse(made).token);
  await page.keyboard.press("Enter");
  const row = page.getByRole("row", { name: /Tells/ });
  await row.waitFor();
  expect(await row.getByRole("button").count()).toBe(0);
  expect(await page.getByRole("button", { name: "New webhook" }).count()).toBe(0);
  await row.getByRole("link").first().click();
  await page.getByText(/None\. A delivery that fails/).waitFor();
  expect(await page.getByRole("button", { name: /Test|Pause|Change|Delete/ }).count()).toBe(0);
  await page.context().close();
  await guarded.stop();
});
