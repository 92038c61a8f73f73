/** What leads on somebody who is new here, or who came to a place where there is nothing. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drop, fill, link, node, properties, runIs } from "./building";
import { NARROW, openBrowser, Server, visit } from "./harness";
import { inspect } from "./steps";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await Server.start();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("where nothing has run, the overview says how to begin, and the builder goes on", async () => {
  const { page } = await visit(browser, server);
  await page.getByRole("heading", { name: "Nothing has run here yet" }).waitFor();
  await inspect(page, "overview-empty");
  await page.getByRole("link", { name: "Build a workflow" }).click();
  await page.getByRole("button", { name: "Begin with a template" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("tab", { name: "New from a template", selected: true }).waitFor();
  await page.keyboard.press("Escape");
  await page.setViewportSize(NARROW);
  await page.getByRole("link", { name: "Add a task" }).click();
  await page.getByRole("region", { name: "Palette" }).waitFor();
  await page.context().close();
});

test("what is wrong leads to its task, a new workflow gets its name, and a failure says where", async () => {
  await server.register(
    "workflow:\n  name: my-workflow\n  tasks:\n    - { name: a, plugin: noop }\n",
  );
  const { page } = await visit(browser, server, "/build");
  await page.getByText("Nothing here yet").waitFor();
  await drop(page, "start", 0.4, 0.2);
  await drop(page, "cmd", 0.4, 0.4);
  await fill(page, "Name", "fetch");
  // The task that is chosen does not hide what asks for a name.
  await link(page, "start", "fetch", "TRUE", async (namer) => {
    await namer.getByRole("button", { name: "Cancel" }).click({ trial: true });
  });
  await page.locator(".react-flow__pane").click({ position: { x: 20, y: 300 } });

  const run = page.getByRole("button", { name: "Run", exact: true });
  const dialog = page.getByRole("dialog");
  await page.getByText("1 error").waitFor();
  await run.click();
  await dialog.getByText("It cannot be saved").waitFor();
  await dialog.getByRole("button", { name: /fetch: the plugin cmd needs/ }).click();
  await dialog.waitFor({ state: "hidden" });
  await fill(page, "command *", "sort missing.csv");
  await page.getByText("No problems").waitFor();

  // It shares its name with another by chance, which is said.
  await run.click();
  await dialog.getByText("this becomes its next version").waitFor();
  await dialog.getByLabel("Name").fill("fetching");
  await inspect(page, "builder-save");
  await dialog.getByRole("button", { name: "Save and run" }).click();
  await page.getByRole("heading", { name: "fetching" }).waitFor();
  await runIs(page, "Failed");
  await page.locator(".react-flow__pane").click({ position: { x: 20, y: 300 } });
  await page.getByRole("button", { name: "Why fetch failed" }).click();
  await properties(page).getByText("missing.csv: No such file").waitFor();
  await node(page, "fetch").getByRole("img", { name: "Failed" }).waitFor();
  const { items } = await server.call<{ items: { version: string }[] }>(
    "GET",
    "/api/v1/workflows/default/my-workflow",
  );
  expect(items).toHaveLength(1);
  await page.context().close();
});

const LONG = "validate_and_normalise_addresses";

test("long names and long lines are read whole", async () => {
  await server.register(`
workflow:
  name: long-names
  tasks:
    - { name: ${LONG}, plugin: cmd, params: { command: "echo ${"long ".repeat(60)}" } }
`);
  const run = await server.run("long-names");
  await server.reach(run, "succeeded");
  const { page } = await visit(browser, server, `/runs/${run}`);
  const task = page.getByRole("button", { name: new RegExp(`^Succeeded ${LONG}`) });
  await task.waitFor();
  const isCut = (name: Element) => name.scrollWidth > name.clientWidth;
  expect(await task.getByText(LONG, { exact: true }).evaluate(isCut)).toBe(false);
  await task.click();
  await page.getByRole("tab", { name: "Log" }).click();
  const log = page.getByRole("region", { name: "Log" });
  await log.getByText(/long long/).waitFor();
  expect(await log.evaluate(isCut)).toBe(false);
  await page.getByRole("button", { name: "Keep long lines whole" }).click();
  expect(await log.evaluate(isCut)).toBe(true);

  await page.goto(`${server.url}/workflows/default/long-names`);
  await page
    .getByRole("img", { name: /long-names/ })
    .getByText(LONG)
    .last()
    .waitFor();
  await page.context().close();
});

const ABSENT: readonly [path: string, heading: string, way: string, to: string][] = [
  ["/runs/01m80erkqjd0jrytymb60yz6k9", "No such run", "All runs", "/runs"],
  ["/runs/nonsense", "No such run", "All runs", "/runs"],
  ["/workflows/default/none", "No such workflow", "All workflows", "/workflows"],
  ["/build/default/none", "No such workflow", "Begin a new one", "/build"],
  ["/webhooks/none", "No such webhook", "All webhooks", "/webhooks"],
  ["/none/at/all", "Nothing here", "Go to the overview", "/"],
];

test.each(ABSENT)("%s says that there is nothing, and leads on", async (path, heading, way, to) => {
  const { page } = await visit(browser, server, path);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  expect(await page.title()).toBe(`${heading} · Loomwork`);
  await page.getByRole("main").getByRole("link", { name: way }).click();
  await page.waitForURL(`${server.url}${to}`);
  await page.context().close();
});
