/** A person who has never seen Loomwork, from the first page to a pipeline that was mended. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPipeline, properties, retype, runIs, save, saveAndRun } from "./building";
import { barriers, openBrowser, pictures, Server, until, visit } from "./harness";

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

const TRANSFORM = 'echo "CLEAN_DATA=$RAW_DATA,4"';

const task = (page: Page, state: string, name: string) =>
  page.getByRole("button", { name: new RegExp(`^${state} ${name}`) });
const head = (page: Page) => page.locator("main header");

/** Goes from the builder to the run that it watches. */
async function openRun(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Open run" }).click();
  await page.waitForURL("**/runs/*");
  await page.getByRole("heading", { name: "parallel-data-pipeline" }).waitFor();
}

test("a pipeline is built, run, watched, broken, understood, mended and run again", {
  timeout: 180_000,
}, async () => {
  const { page, complaints, hosts } = await visit(browser, server);
  await page.getByRole("link", { name: "Build a workflow" }).click();
  await page.getByText("Nothing here yet").waitFor();
  await buildPipeline(page, {
    // It waits for its data, so that there is something to watch.
    extract_data:
      "while [ ! -e data ] && [ -e $LOOM_STORE ]; do sleep 0.05; done; echo RAW_DATA=1,2,3",
    transform_data: TRANSFORM,
    backup_raw: "echo BACKUP_LOCATION=/tmp/raw",
    load_data: 'echo "loading $CLEAN_DATA from $BACKUP_LOCATION"',
  });
  await page.getByText("No problems").waitFor();
  await save(page);

  // It runs, and is watched to its end.
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await openRun(page);
  await task(page, "Running", "extract_data").waitFor();
  await task(page, "Waiting", "load_data").waitFor();
  await pictures(page, "story-running");
  writeFileSync(join(server.folder, "data"), "");
  for (const name of ["transform_data", "backup_raw", "load_data", "end"]) {
    await task(page, "Succeeded", name).waitFor();
  }
  await head(page).getByText("Succeeded", { exact: true }).waitFor();
  await pictures(page, "story-succeeded");

  // A task breaks.
  await page.getByRole("link", { name: "Open the workflow in the builder" }).click();
  await retype(page, "transform_data", "sort missing.csv");
  await saveAndRun(page);
  await runIs(page, "Failed");
  await openRun(page);

  // Its run says where and why.
  const failed = page.getByRole("region", { name: "What failed" });
  await failed.getByText(/missing\.csv/).waitFor();
  await task(page, "Failed", "transform_data").waitFor();
  await task(page, "Skipped", "load_data").waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "story-failed");
  await failed.getByRole("button", { name: "transform_data" }).click();
  const panel = page.getByRole("complementary", { name: "Task transform_data" });
  await panel
    .getByRole("region", { name: "The error" })
    .getByText(/No such file/)
    .waitFor();
  await panel.getByRole("tab", { name: "Log" }).click();
  await panel
    .getByRole("region", { name: "Log" })
    .getByText(/missing\.csv/)
    .waitFor();
  await pictures(page, "story-why");
  await panel.getByRole("button", { name: "Close the task" }).click();
  const broken = page.url();

  // A retry would not help, and says so before it is done.
  await page.getByRole("button", { name: "Retry failed" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/It stays with version 0\.1\.1/).waitFor();
  await dialog.getByRole("button", { name: "Not now" }).click();

  // It is mended where it was built, and run again from where it failed.
  await failed.getByRole("link", { name: "Mend it in the builder" }).click();
  // The task to mend is at hand.
  const name = properties(page).getByLabel("Name", { exact: true });
  await name.waitFor();
  expect(await name.inputValue()).toBe("transform_data");
  await retype(page, "transform_data", TRANSFORM);
  await save(page);
  await page.goBack();
  await until("the run is shown again", async () => page.url() === broken);
  await failed.getByText("Version 0.1.2 was saved").waitFor();
  await pictures(page, "story-mended");
  await page.getByRole("button", { name: "Retry failed" }).click();
  await dialog.getByText(/Version 0\.1\.2 was saved since/).waitFor();
  await pictures(page, "story-retry");
  await dialog.getByRole("button", { name: "Run 0.1.2 instead…" }).click();
  expect(await dialog.getByLabel("Version").inputValue()).toBe("0.1.2");
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "story-again");
  await dialog.getByRole("button", { name: "Start a new run" }).click();
  await until("the new run is shown", async () => page.url() !== broken);
  await task(page, "Succeeded", "load_data").waitFor();
  await head(page).getByText("Succeeded", { exact: true }).waitFor();
  await head(page).getByText("0.1.2", { exact: true }).waitFor();
  await page.getByRole("link", { name: /^repeats …/ }).waitFor();

  expect([...hosts]).toEqual([new URL(server.url).host]);
  // A name that nobody has registered yet is asked for, and not there.
  expect(complaints.filter((text) => !text.includes("404 (Not Found)"))).toEqual([]);
  await page.context().close();
});
