import { createHmac } from "node:crypto";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, Server, until, visit } from "./harness";
import { confirm, inspect } from "./steps";

const HELLO =
  "workflow:\n  name: hello\n  tasks:\n    - { name: a, plugin: cmd, params: { command: 'echo hi' } }\n";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  // The server's folders begin without links, as the setting asks for.
  server = await Server.start([], async (it) => {
    const folder = join(realpathSync(it.folder), "in");
    mkdirSync(folder);
    it.args.push("--watched-folders", folder);
  });
  await server.register(HELLO);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("a schedule is made, foretold, changed, paused, run and deleted", async () => {
  const { page, complaints } = await visit(browser, server, "/schedules");
  await page.getByText("Nothing is scheduled").waitFor();
  await inspect(page, "schedules-empty");
  await page.getByRole("button", { name: "New schedule" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("nightly");
  await page.getByLabel("Workflow", { exact: true }).selectOption("hello");
  await page.getByLabel("Expression").fill("30 2 * * *");
  await page.getByLabel("Variables").fill("[1]");
  await confirm(page, "Make it");
  await page.getByText("This is no object").waitFor();
  await page.getByLabel("Variables").fill('{"SCOPE": "all"}');
  await inspect(page, "schedule-form");
  await confirm(page, "Make it");
  await page.getByText("The next two weeks").waitFor();
  await server.call("PUT", "/api/v1/schedules/often", {
    timing: { kind: "every", seconds: 1800 },
    run: { workflow: "hello" },
  });
  await page.reload();
  const row = page.getByRole("row", { name: /nightly/ });
  await row.waitFor();
  await page.getByRole("listitem").filter({ hasText: "nightly" }).nth(12).waitFor();
  await page.getByRole("listitem").filter({ hasText: "and on" }).first().waitFor();
  await inspect(page, "schedules");
  await row.getByRole("button", { name: "Change nightly" }).click();
  await page.getByLabel("What it is for").fill("Counts the day");
  await confirm(page, "Save");
  await row.getByText("Counts the day").waitFor();
  const kept = await server.call<{ run: { variables: object } }>(
    "GET",
    "/api/v1/schedules/nightly",
  );
  expect(kept.run.variables).toEqual({ SCOPE: "all" });
  await row.getByRole("button", { name: "Pause nightly" }).click();
  await confirm(page, "Pause");
  await row.getByText("Paused", { exact: true }).waitFor();
  await row.getByRole("button", { name: "Run nightly now" }).click();
  await confirm(page, "Run");
  await until("the schedule has a run", async () => {
    const runs = await server.call<{ items: unknown[] }>(
      "GET",
      "/api/v1/runs?initiator=schedule:nightly",
    );
    return runs.items.length > 0;
  });
  await row.getByRole("button", { name: "Delete nightly" }).click();
  await confirm(page, "Delete");
  await row.waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a trigger is made with its secret shown once, takes requests, and gets another secret", async () => {
  const { page, complaints } = await visit(browser, server, "/triggers");
  await page.getByText("Nothing from outside starts runs").waitFor();
  await inspect(page, "triggers-empty");
  await page.getByRole("button", { name: "New trigger" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("push");
  await page.getByLabel("Workflow to run").selectOption("hello");
  const secret = await page.getByLabel("Secret", { exact: true }).inputValue();
  await page.getByRole("button", { name: "Take a variable" }).click();
  await page.getByLabel("Variable", { exact: true }).fill("REF");
  await page.getByLabel("JSON pointer").fill("/ref");
  await inspect(page, "trigger-form");
  await confirm(page, "Make it");
  const shown = page.getByRole("dialog", { name: "The secret of push" });
  await shown.getByText(secret).waitFor();
  await inspect(page, "trigger-secret");
  await confirm(page, "I have it");
  const body = '{"ref":"main"}';
  const send = (key: string, id: string) =>
    fetch(`${server.url}/hooks/push`, {
      method: "POST",
      headers: {
        "x-hub-signature-256": createHmac("sha256", key).update(body).digest("hex"),
        "idempotency-key": id,
      },
      body,
    });
  expect((await send(secret, "1")).status).toBe(201);
  await page.getByRole("button", { name: "Give push another secret" }).click();
  await confirm(page, "Make another secret");
  const other = await shown.locator("code").nth(1).textContent();
  expect(other).not.toBe(secret);
  await confirm(page, "I have it");
  expect((await send(secret, "2")).status).toBe(401);
  expect((await send(other ?? "", "3")).status).toBe(201);
  await page.getByRole("button", { name: "Pause push" }).click();
  await confirm(page, "Pause");
  await page.getByText("Paused", { exact: true }).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a file starts runs", async () => {
  const folder = join(realpathSync(server.folder), "in");
  await server.call("PUT", "/api/v1/triggers/release", {
    kind: "request",
    proof: { kind: "token", secret: "a secret of sixteen signs" },
    run: { workflow: "hello" },
  });
  const { page } = await visit(browser, server, "/triggers?kind=file");
  await page.getByRole("button", { name: "New trigger" }).click();
  await page.getByLabel("Name", { exact: true }).fill("orders");
  await page.getByLabel("Started by").last().selectOption("file");
  await page.getByLabel("Workflow to run").selectOption("hello");
  await page.getByLabel("File", { exact: true }).fill("/nowhere/*.csv");
  await confirm(page, "Make it");
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("File", { exact: true }).fill(`${folder}/*.csv`);
  await page.getByLabel("Quiet for").fill("0");
  await confirm(page, "Make it");
  const row = page.getByRole("row", { name: /orders/ });
  await row.waitFor();
  writeFileSync(join(folder, "a.csv"), "1");
  await row.getByRole("link", { name: "a.csv" }).waitFor();
  await page.getByLabel("Started by").selectOption("");
  await page.getByRole("row", { name: /release/ }).waitFor();
  await inspect(page, "triggers");
  await row.getByRole("button", { name: "Delete orders" }).click();
  await confirm(page, "Delete");
  await row.waitFor({ state: "hidden" });
  await page.context().close();
});

test("plugins say what they take, or why they cannot be used", async () => {
  const folder = join(server.folder, "plugins", "broken");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plugin.yaml"), "command: 7\n");
  const { page, complaints } = await visit(browser, server, "/plugins");
  await page.getByRole("heading", { name: "http" }).waitFor();
  await page.getByText("It cannot be used (L301)").waitFor();
  await inspect(page, "plugins");
  await page.getByRole("searchbox").fill("touched");
  await page.getByRole("heading", { name: "http" }).waitFor({ state: "hidden" });
  expect(new URL(page.url()).searchParams.get("search")).toBe("touched");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("tokens are made, shown once and revoked; roles are made and deleted", async () => {
  const { page, complaints } = await visit(browser, server, "/access");
  await page.getByText("No tokens yet").waitFor();
  await inspect(page, "tokens-empty");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Who or what will use it").fill("ci");
  await page.getByRole("checkbox", { name: /operator/ }).check();
  await inspect(page, "token-form");
  await confirm(page, "Make it");
  const text = await page
    .getByRole("dialog", { name: "The token of ci" })
    .locator("code")
    .textContent();
  expect(text).toMatch(/^loom_/);
  await confirm(page, "I have it");
  const row = page.getByRole("row", { name: /ci/ });
  await row.waitFor();
  expect(await page.content()).not.toContain(text);
  await inspect(page, "tokens");
  await row.getByRole("button", { name: "Revoke" }).click();
  await confirm(page, "Revoke");
  await row.waitFor({ state: "hidden" });
  await page.getByLabel("State").selectOption("revoked");
  await row.waitFor();
  await page.getByRole("tab", { name: "Roles" }).click();
  await page.getByRole("button", { name: "New role" }).click();
  await page.getByLabel("Name", { exact: true }).fill("retrier");
  await page.getByRole("checkbox", { name: "runs:retry" }).check();
  await page.getByRole("checkbox", { name: "runs:get" }).check();
  await inspect(page, "role-form");
  await confirm(page, "Make it");
  await page.getByRole("heading", { name: "retrier", exact: true }).waitFor();
  await inspect(page, "roles");
  await page.getByRole("button", { name: "Delete retrier" }).click();
  await confirm(page, "Delete");
  await page.getByRole("heading", { name: "retrier", exact: true }).waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("the audit log says who did what, and is narrowed down by its address", async () => {
  await server.call("PUT", "/api/v1/roles/auditor", { permissions: ["audit:list"] });
  const { page, complaints } = await visit(browser, server, "/audit?action=tokens:write");
  await page.getByRole("row", { name: /auditor/ }).waitFor();
  expect(await page.getByRole("row", { name: /workflows:register/ }).count()).toBe(0);
  await page.getByLabel("What", { exact: true }).fill("");
  await page
    .getByRole("row", { name: /workflows:register/ })
    .first()
    .waitFor();
  await inspect(page, "audit");
  await page.getByLabel("Outcome").selectOption("forbidden");
  await page.getByText("No entry is like that").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("the system page says how the server is, and keeps limits and rules", async () => {
  const { page, complaints } = await visit(browser, server, "/system");
  await page.getByText("Ready", { exact: true }).waitFor();
  await page.getByRole("button", { name: "New limit" }).click();
  await page.getByLabel("Name", { exact: true }).fill("one");
  await page.getByLabel("The most at once").fill("2");
  await confirm(page, "Make it");
  await page.getByRole("row", { name: /one.*runs of default.*2 at once/ }).waitFor();
  await page.getByRole("button", { name: "New rule" }).click();
  await page.getByLabel("Name", { exact: true }).fill("month");
  await confirm(page, "Make it");
  await page.getByRole("row", { name: /month.*all ended runs.*30 d/ }).waitFor();
  await inspect(page, "system");
  await page.getByRole("button", { name: "Change one" }).click();
  await page.getByLabel("The most at once").fill("");
  await page.getByLabel("The most that begin").fill("5");
  await page.getByLabel("Counted together are").selectOption("variables");
  await page.getByLabel("Variables").fill("{{CUSTOMER}}");
  await inspect(page, "limit-form");
  await confirm(page, "Save");
  await page.getByRole("row", { name: /one.*each of \{\{CUSTOMER\}\}.*5 in 60 s/ }).waitFor();
  await page.getByRole("button", { name: "Change month" }).click();
  await page.getByLabel("Days that runs are kept").fill("7");
  await page.getByRole("checkbox", { name: "Succeeded" }).uncheck();
  await inspect(page, "rule-form");
  await confirm(page, "Save");
  await page.getByRole("row", { name: /month.*failed or cancelled.*7 d/ }).waitFor();
  await page.getByRole("button", { name: "Delete one" }).click();
  await confirm(page, "Delete");
  await page.getByRole("row", { name: /^one/ }).waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});
