import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  barriers,
  NARROW,
  openBrowser,
  overflows,
  pictures,
  Server,
  until,
  visit,
} from "./harness";

const PAGES = [
  "/",
  "/runs",
  "/workflows",
  "/build",
  "/schedules",
  "/triggers",
  "/webhooks",
  "/plugins",
  "/access",
  "/audit",
  "/system",
];

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

test("the navigation leads to every page, by keys too, and narrows", async () => {
  const { page, complaints } = await visit(browser, server);
  const nav = page.getByRole("navigation", { name: "Pages" });
  await nav.waitFor();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the page");
  await nav.getByRole("link", { name: "Workflows" }).click();
  await page.waitForURL("**/workflows");
  await nav.locator("[aria-current=page]", { hasText: "Workflows" }).waitFor();
  await page.getByRole("button", { name: "Narrow the navigation" }).click();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "shell-narrowed");
  await page.reload();
  await page.getByRole("button", { name: "Widen the navigation" }).click();
  await page.setViewportSize(NARROW);
  await page.getByRole("button", { name: "Menu" }).click();
  const menu = page.getByRole("dialog", { name: "Menu" });
  await menu.getByRole("link", { name: "Runs" }).click();
  await page.waitForURL("**/runs");
  await menu.waitFor({ state: "hidden" });
  expect(await overflows(page)).toBe(false);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("light or dark is kept, and there before the first paint", async () => {
  const { page } = await visit(browser, server);
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await until("it is dark", async () => (await theme()) === "dark");
  await page.goto(`${server.url}/`, { waitUntil: "commit" });
  await page.waitForSelector("link[rel=icon]", { state: "attached" });
  expect(await theme()).toBe("dark");
  await page.getByRole("button", { name: "As the system" }).click();
  await until("it is as the system", async () => (await theme()) === undefined);
  await page.context().close();
});

test("a server that is killed and comes back is noticed, and the page goes on", async () => {
  const { page } = await visit(browser, server);
  await page.getByRole("navigation").waitFor();
  await server.end("SIGKILL");
  await page.getByText("The server is away.").waitFor();
  await server.begin();
  await page.getByText("The server is away.").waitFor({ state: "hidden" });
  await page.context().close();
});

test("who is not known is asked for a token, and offered what they may do", async () => {
  const guarded = await Server.start(["--access"], async (it) => {
    const made = await it.loom("--json", "token", "create", "vera", "--role", "viewer");
    it.token = JSON.parse(made).token;
  });
  const { page } = await visit(browser, guarded, "/runs");
  await page.getByRole("heading", { name: "Sign in to Loomwork" }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "sign-in");
  await page.getByLabel("Token").fill("loom_wrong");
  await page.keyboard.press("Enter");
  await page.getByText("It is not taken").waitFor();
  await page.getByLabel("Token").fill(guarded.token ?? "");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  const nav = page.getByRole("navigation");
  expect(await nav.getByRole("link", { name: "Workflows" }).isVisible()).toBe(true);
  expect(await nav.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  expect(await nav.getByRole("link", { name: "Access" }).count()).toBe(0);
  await page.reload();
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Loomwork" }).waitFor();
  await page.context().close();
  await guarded.stop();
});

test("no request leaves the machine", async () => {
  const { page, hosts, complaints } = await visit(browser, server);
  for (const path of PAGES) {
    await page.goto(server.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
  }
  expect([...hosts]).toEqual([new URL(server.url).host]);
  expect(complaints).toEqual([]);
  await page.context().close();
});
