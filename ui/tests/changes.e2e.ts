import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, Server, visit } from "./harness";
import { confirm, inspect } from "./steps";

const LOGIN = `
workflow:
  name: login
  secrets: [SESSION]
  tasks:
    - { name: a, plugin: cmd, inputs: [SESSION, KEPT], params: { command: 'test "$SESSION $KEPT" = "hush 1"' } }
`;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await Server.start();
  await server.register(LOGIN);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** What the server has been sent by a page: the headers and bodies of its changes. */
function sentBy(page: Page): { match: string | undefined; body: string }[] {
  const sent: { match: string | undefined; body: string }[] = [];
  page.on("request", (request) => {
    if (request.method() !== "PUT") return;
    sent.push({ match: request.headers()["if-match"], body: request.postData() ?? "" });
  });
  return sent;
}

test("secrets of a schedule are asked for again, and stars are never sent", async () => {
  await server.call("PUT", "/api/v1/schedules/nightly", {
    timing: { kind: "every", seconds: 86_400 },
    run: { workflow: "login", variables: { SESSION: "hush", KEPT: "1" } },
  });
  const { page, complaints } = await visit(browser, server, "/schedules");
  const sent = sentBy(page);
  await page.getByRole("button", { name: "Change nightly" }).click();
  const dialog = page.getByRole("dialog", { name: "Change nightly" });
  await dialog.getByText("Secret variables").waitFor();
  expect(await page.getByLabel("Variables", { exact: true }).inputValue()).not.toContain("SESSION");
  await inspect(page, "schedule-secrets");
  await confirm(page, "Save");
  expect(await dialog.getByLabel("SESSION", { exact: true }).evaluate(isMissing)).toBe(true);
  expect(sent).toEqual([]);
  await dialog.getByLabel("SESSION", { exact: true }).fill("hush");
  await confirm(page, "Save");
  await dialog.waitFor({ state: "hidden" });
  expect(sent).toHaveLength(1);
  expect(sent[0]?.match).toMatch(/^"\d+"$/);
  expect(sent[0]?.body).not.toContain("***");
  const { id } = await server.call<{ id: string }>("POST", "/api/v1/schedules/nightly/trigger");
  await server.reach(id, "succeeded");
  expect(complaints).toEqual([]);
  await page.context().close();
});

function isMissing(input: HTMLElement | SVGElement): boolean {
  return (input as HTMLInputElement).validity.valueMissing;
}

test("secrets of a trigger are asked for again, or left out", async () => {
  const proof = { kind: "token", secret: "a secret of sixteen signs" };
  await server.call("PUT", "/api/v1/triggers/push", {
    kind: "request",
    proof,
    variables: { KEPT: { from: "header", name: "x-kept" } },
    run: { workflow: "login", variables: { SESSION: "hush" } },
  });
  const { page, complaints } = await visit(browser, server, "/triggers");
  const sent = sentBy(page);
  await page.getByRole("button", { name: "Change push" }).click();
  const dialog = page.getByRole("dialog", { name: "Change push" });
  await dialog.getByLabel("Secret", { exact: true }).fill(proof.secret);
  await dialog.getByRole("button", { name: "Leave SESSION out" }).click();
  await confirm(page, "Save");
  // Without it no run could start, which the server knows.
  await dialog.getByText("SESSION").first().waitFor();
  await confirm(page, "Close");
  await page.getByRole("button", { name: "Change push" }).click();
  await dialog.getByLabel("Secret", { exact: true }).fill(proof.secret);
  await dialog.getByLabel("SESSION", { exact: true }).fill("hush");
  await confirm(page, "Save");
  await dialog.waitFor({ state: "hidden" });
  expect(JSON.stringify(sent)).not.toContain("***");
  const answer = await fetch(`${server.url}/hooks/push`, {
    method: "POST",
    headers: { authorization: proof.secret, "x-kept": "1" },
  });
  const { id } = (await answer.json()) as { id: string };
  await server.reach(id, "succeeded");
  complaints.splice(
    0,
    complaints.length,
    ...complaints.filter((it) => !it.includes("status of 4")),
  );
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who was overtaken is told, sees the new state, and loses nothing", async () => {
  const limit = (max_runs: number) =>
    server.call("PUT", "/api/v1/limits/one", { counts: "runs", max_runs });
  const now = () => server.call<{ max_runs: number }>("GET", "/api/v1/limits/one");
  await limit(2);
  const { page } = await visit(browser, server, "/system");
  await page.getByRole("button", { name: "Change one" }).click();
  const dialog = page.getByRole("dialog");
  const most = dialog.getByLabel("The most at once");
  await most.fill("7");
  await limit(3);
  await confirm(page, "Save");
  await dialog.getByText("Somebody changed it meanwhile").waitFor();
  await dialog.getByRole("row", { name: "max_runs 2 3" }).waitFor();
  expect(await most.inputValue()).toBe("7");
  expect((await now()).max_runs).toBe(3);
  await inspect(page, "overtaken");
  await dialog.getByRole("button", { name: "Drop mine" }).click();
  expect(await most.inputValue()).toBe("3");
  await most.fill("8");
  await limit(4);
  await confirm(page, "Save");
  await dialog.getByRole("row", { name: "max_runs 3 4" }).waitFor();
  await confirm(page, "Save all the same");
  await dialog.waitFor({ state: "hidden" });
  expect((await now()).max_runs).toBe(8);
  await page.context().close();
});

test("what is deleted is what was seen", async () => {
  const role = (permissions: string[]) =>
    server.call("PUT", "/api/v1/roles/retrier", { permissions });
  await role(["runs:get"]);
  const { page } = await visit(browser, server, "/access?tab=roles");
  await page.getByRole("button", { name: "Delete retrier" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the role retrier?" });
  await dialog.getByText("Tokens that have it").waitFor();
  await role(["runs:get", "runs:retry"]);
  await confirm(page, "Delete");
  await dialog.getByRole("row", { name: /permissions/ }).waitFor();
  await confirm(page, "Delete all the same");
  await page.getByRole("heading", { name: "retrier", exact: true }).waitFor({ state: "hidden" });
  await page.context().close();
});
