import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { barriers, NARROW, openBrowser, overflows, pictures, Server, visit } from "./harness";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const GREET = `
workflow:
  name: greet
  description: Greets somebody by name
  tags: [demo, people]
  tasks:
    - { name: hello, plugin: cmd, inputs: [WHO], params: { command: 'echo "Hello $WHO"' } }
`;

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

test("an empty server says how a workflow comes", async () => {
  const { page } = await visit(browser, server, "/workflows");
  await page.getByText("No workflow yet").waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "workflows-empty");
  await page.context().close();
});

test("workflows are found, run with what they need, and shown", async () => {
  await server.register(GREET);
  const data = readFileSync(join(EXAMPLES, "parallel-data-pipeline.yaml"), "utf8");
  await server.register(data);
  await server.register(
    "workflow:\n  name: tidy\n  namespace: office\n  tasks:\n    - { name: a, plugin: noop }\n",
  );
  const { page, complaints } = await visit(browser, server, "/workflows");
  await page.getByRole("link", { name: "office / tidy" }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "workflows");
  await page.setViewportSize(NARROW);
  expect(await overflows(page)).toBe(false);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("searchbox").fill("people gre");
  await page.getByRole("link", { name: "office / tidy" }).waitFor({ state: "hidden" });
  expect(new URL(page.url()).searchParams.get("search")).toBe("people gre");
  await page.getByRole("button", { name: "Run greet" }).click();
  await page.getByLabel("WHO").fill("Ada");
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "workflow-run");
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL("**/runs/*");
  const id = page.url().split("/").pop() ?? "";
  await server.reach(id, "succeeded");
  const { variables } = await server.call<{ variables: { name: string; value: unknown }[] }>(
    "GET",
    `/api/v1/runs/${id}`,
  );
  expect(JSON.stringify(variables)).toContain("Ada");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a workflow's page has its graph, text, versions and runs", async () => {
  const text = readFileSync(join(EXAMPLES, "parallel-data-pipeline.yaml"), "utf8");
  const newer = text
    .replace(/version: .*/, "version: 9.0.0")
    .replace("timeout: 300", "timeout: 200");
  await server.register(newer);
  const { page, complaints } = await visit(browser, server, "/workflows");
  await page.getByRole("link", { name: "default / parallel-data-pipeline" }).click();
  await page.getByRole("img", { name: /then/ }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "workflow");
  await page.setViewportSize(NARROW);
  expect(await overflows(page)).toBe(false);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("tab", { name: "Versions (2)" }).click();
  await page.getByRole("link", { name: /Changes since/ }).click();
  await page.getByText("version: 9.0.0").waitFor();
  await page.getByText("unchanged lines").first().waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "workflow-changes");
  await page.getByRole("tab", { name: "Versions (2)" }).click();
  await page.getByRole("button", { name: "Disable" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await page.getByText("This version is disabled").waitFor();
  await pictures(page, "workflow-versions");
  expect(await page.getByRole("button", { name: "Run", exact: true }).count()).toBe(0);
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Enable" }).click();
  await page.getByText("This version is disabled").waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});
