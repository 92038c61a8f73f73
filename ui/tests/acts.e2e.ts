/** What can be done with tasks and runs: each says what it does, and what comes of it is seen. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { barriers, openBrowser, pictures, Server, until, visit } from "./harness";

let server: Server;
let browser: Browser;

/** It goes on when `$FILE` is there, and succeeds if `$FILE.ok` is there too. */
const GATED = `
workflow:
  name: gated
  version: 1.0.0
  tasks:
    - name: gate
      plugin: cmd
      inputs: [FILE]
      params: { command: 'while [ ! -e "$FILE" ] && [ -e $LOOM_STORE ]; do sleep 0.05; done' }
    - name: fetch
      plugin: cmd
      inputs: [FILE]
      outputs: [ROWS]
      params: { command: 'test -e "$FILE.ok" && echo ROWS=7' }
      execution: { depends_on: [gate] }
    - { name: load, plugin: cmd, inputs: [ROWS], outputs: [SUM], params: { command: 'echo "SUM=$ROWS"' } }
    - { name: extra, plugin: cmd, params: { command: "true" }, execution: { depends_on: [gate] } }
    - { name: report, plugin: cmd, inputs: [SUM], params: { command: 'echo "the sum is $SUM"' } }
`;

beforeAll(async () => {
  server = await Server.start();
  browser = await openBrowser();
  await server.register(GATED);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const put = (name: string) => writeFileSync(join(server.folder, name), "");
const gated = (file: string) => server.run("gated", { variables: { FILE: file } });
const task = (page: Page, state: string, name: string) =>
  page.getByRole("button", { name: new RegExp(`^${state} ${name}`) });
const panel = (page: Page, name: string) =>
  page.getByRole("complementary", { name: `Task ${name}` });
const head = (page: Page) => page.locator("main header");
const ended = (page: Page, state: string) => head(page).getByText(state, { exact: true }).waitFor();

/** Presses a button of a part of the page, reads what its dialog says, and confirms it. */
async function act(
  part: ReturnType<typeof panel>,
  button: string,
  { says, confirm, fill = {} }: { says: RegExp; confirm: string; fill?: Record<string, string> },
): Promise<void> {
  await part.getByRole("button", { name: button, exact: true }).click();
  const dialog = part.page().getByRole("dialog");
  await dialog.getByText(says).waitFor();
  for (const [label, value] of Object.entries(fill)) {
    await dialog.getByLabel(label, { exact: true }).fill(value);
  }
  await dialog.getByRole("button", { name: confirm, exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
}

test("tasks are skipped and changed before they run, and retried after they failed", async () => {
  const id = await gated("a");
  const { page, complaints } = await visit(browser, server, `/runs/${id}?task=extra`);
  await task(page, "Running", "gate").waitFor();
  await act(panel(page, "extra"), "Skip", {
    says: /It will not run/,
    confirm: "Skip the task",
    fill: { Reason: "not today" },
  });
  await task(page, "Skipped", "extra").waitFor();
  await panel(page, "extra")
    .getByText(/skipped it: not today/)
    .waitFor();

  await task(page, "Waiting", "fetch").click();
  await act(panel(page, "fetch"), "Change…", {
    says: /there may be so many of them in all/,
    confirm: "Change",
    fill: { "Attempts at most": "2" },
  });
  await task(page, "Waiting", "load").click();
  await act(panel(page, "load"), "Change…", {
    says: /Attempts that start from now on see these values/,
    confirm: "Change",
    fill: { Inputs: '{"ROWS": 40}' },
  });

  put("a");
  await task(page, "Failed", "fetch").click();
  await panel(page, "fetch").getByText("All 2 attempts failed.").waitFor();
  put("a.ok");
  await act(panel(page, "fetch"), "Retry", {
    says: /All stays as version 1\.0\.0 has it/,
    confirm: "Retry the task",
  });
  await task(page, "Succeeded", "report").click();
  await panel(page, "report").getByRole("tab", { name: "Log" }).click();
  await panel(page, "report").getByText("the sum is 40").waitFor();
  await ended(page, "Succeeded");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a task is cancelled alone, and resolved by hand with outputs", async () => {
  put("b.ok");
  const id = await gated("b");
  const { page, complaints } = await visit(browser, server, `/runs/${id}?task=gate`);
  await task(page, "Running", "gate").waitFor();
  await act(panel(page, "gate"), "Cancel", {
    says: /Its attempts are stopped and it ends as cancelled/,
    confirm: "Cancel the task",
    fill: { Reason: "it hangs" },
  });
  await task(page, "Cancelled", "gate").waitFor();
  await panel(page, "gate")
    .getByText(/it hangs/)
    .waitFor();
  await ended(page, "Failed");
  await page.getByRole("region", { name: "What failed" }).getByText("was cancelled").waitFor();
  await pictures(page, "run-task-cancelled");

  await act(panel(page, "gate"), "Resolve…", { says: /counts as succeeded/, confirm: "Resolve" });
  await task(page, "Resolved by hand", "gate").waitFor();
  await task(page, "Succeeded", "report").waitFor();
  await ended(page, "Succeeded");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a task that waits is resolved, and what needs its outputs goes on with them", async () => {
  const id = await gated("c");
  const { page } = await visit(browser, server, `/runs/${id}?task=load`);
  await act(panel(page, "load"), "Resolve…", {
    says: /with the outputs that you give here/,
    confirm: "Resolve",
    fill: { Outputs: '{"SUM": 12}' },
  });
  await task(page, "Resolved by hand", "load").waitFor();
  await task(page, "Succeeded", "report").click();
  await panel(page, "report").getByRole("tab", { name: "Log" }).click();
  await panel(page, "report").getByText("the sum is 12").waitFor();
  await server.call("POST", `/api/v1/runs/${id}/cancel`, {});
  await ended(page, "Cancelled");
  await page.context().close();
});

test("a failed run is retried as it was, and run again with changes", async () => {
  put("d");
  put("e");
  put("e.ok");
  const id = await gated("d");
  await server.reach(id, "failed");
  const { page, complaints } = await visit(browser, server, `/runs/${id}`);
  await ended(page, "Failed");
  await act(head(page), "Run again…", {
    says: /This starts a new run of gated from its beginning/,
    confirm: "Start a new run",
    fill: { FILE: "e", Reason: "another file" },
  });
  await page.waitForURL((url) => !url.pathname.endsWith(id));
  await ended(page, "Succeeded");
  await head(page).getByText("“another file”").waitFor();
  await page.getByRole("tab", { name: "Variables" }).click();
  await page.getByRole("button", { name: /^FILE e/ }).waitFor();

  await page.getByRole("link", { name: `repeats …${id.slice(-6)}` }).click();
  put("d.ok");
  await act(head(page), "Retry failed", {
    says: /What failed or was cancelled \(1 task\) gets new attempts/,
    confirm: "Retry",
  });
  await ended(page, "Succeeded");
  expect(complaints).toEqual([]);
  await page.context().close();
});

const row = (page: Page, id: string) =>
  page.getByRole("row").filter({ has: page.getByRole("checkbox", { name: `Choose run ${id}` }) });

test("many runs are cancelled and retried at once: those that are chosen, or all of a filter", async () => {
  const text = GATED.replace("name: gated", "name: bulk");
  await server.register(text);
  const start = (file: string) => server.run("bulk", { variables: { FILE: file } });
  const open = [await start("x"), await start("x"), await start("x")];
  put("y");
  const failed = [await start("y"), await start("y"), await start("y")];
  for (const id of failed) await server.reach(id, "failed");

  const { page, complaints } = await visit(browser, server, "/runs?workflow=bulk");
  for (const id of open.slice(0, 2)) await row(page, id).getByRole("checkbox").check();
  // One that has failed cannot be cancelled, and is left alone.
  await row(page, failed[0] ?? "")
    .getByRole("checkbox")
    .check();
  await page.getByText("3 runs chosen").waitFor();
  await page.getByRole("button", { name: "Cancel 2" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel 2 runs?" });
  await dialog.getByText("1 chosen run cannot be cancelled, and stays as it is.").waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "runs-bulk");
  await dialog.getByRole("button", { name: "Cancel 2 runs", exact: true }).click();
  await page.getByText("2 runs cancelled.").waitFor();
  for (const id of open.slice(0, 2)) await row(page, id).getByText("Cancelled").waitFor();

  await page.getByRole("button", { name: "Cancel all open…" }).click();
  await page.getByRole("dialog", { name: "Cancel 1 run?" }).waitFor();
  await page.getByRole("button", { name: "Cancel them" }).click();
  await page.getByText("1 run cancelled.").waitFor();
  await row(page, open[2] ?? "")
    .getByText("Cancelled")
    .waitFor();

  put("y.ok");
  await row(page, failed[0] ?? "")
    .getByRole("checkbox")
    .check();
  await page.getByRole("button", { name: "Retry 1" }).click();
  await page
    .getByRole("dialog")
    .getByText(/Their failed tasks get new attempts/)
    .waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Retry 1 run", exact: true }).click();
  await row(page, failed[0] ?? "")
    .getByText("Succeeded")
    .waitFor();

  await page.getByRole("button", { name: "Retry all failed…" }).click();
  await page.getByRole("dialog", { name: "Retry 2 runs?" }).waitFor();
  await pictures(page, "runs-bulk-filter");
  await page.getByRole("button", { name: "Retry them" }).click();
  await page.getByText("2 runs retried.").waitFor();
  for (const id of failed) await row(page, id).getByText("Succeeded").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("who may only look is offered nothing to do", async () => {
  const guarded = await Server.start(["--access"], async (it) => {
    const made = await it.loom("--json", "token", "create", "ada", "--role", "admin");
    it.token = JSON.parse(made).token;
  });
  const made = await guarded.loom("--json", "token", "create", "vera", "--role", "viewer");
  await guarded.register(GATED);
  const id = await guarded.run("gated", { variables: { FILE: "." } });
  await guarded.reach(id, "failed");
  const { page } = await visit(browser, guarded, `/runs/${id}?task=fetch`);
  await page.getByLabel("Token").fill(JSON.parse(made).token);
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "What failed" }).getByText("fetch").waitFor();
  await panel(page, "fetch").getByText("Its only attempt failed.").waitFor();
  const acts = /^(Retry|Run|Cancel|Pause|Resume|Resolve|Skip|Change)\b|builder/;
  await until("all is loaded", () => page.getByRole("tab", { name: "Log" }).isVisible());
  expect(await page.locator("main").getByRole("button", { name: acts }).count()).toBe(0);
  expect(await page.locator("main").getByRole("link", { name: acts }).count()).toBe(0);
  await pictures(page, "run-viewer");

  await page.goto(`${guarded.url}/runs`);
  await page.getByRole("link", { name: "gated" }).waitFor();
  expect(await page.locator("main").getByRole("button", { name: acts }).count()).toBe(0);
  expect(await page.getByRole("checkbox").count()).toBe(0);
  await page.context().close();
  await guarded.stop();
});
