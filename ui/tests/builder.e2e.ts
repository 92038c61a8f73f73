import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  buildPipeline,
  fill,
  node,
  nodes,
  opened,
  part,
  properties,
  runIs,
  saveAndRun,
  text,
} from "./building";
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

const EXAMPLES = join(import.meta.dirname, "../../examples");

test("a person builds a pipeline by dragging and linking, runs it, breaks it, mends it", async () => {
  const { page, complaints, hosts } = await visit(browser, server, "/build");
  await page.getByText("Nothing here yet").waitFor();
  expect(await barriers(page)).toEqual([]);
  await pictures(page, "builder-empty");

  await buildPipeline(page, {
    extract_data: "echo RAW_DATA=1,2,3",
    transform_data: 'echo "CLEAN_DATA=$RAW_DATA,4"',
    backup_raw: "echo BACKUP_LOCATION=/tmp/raw",
    load_data: 'echo "loading $CLEAN_DATA"',
  });
  await node(page, "extract_data").click();
  await properties(page).getByLabel("Run async").uncheck();
  await fill(page, "Timeout", "300");
  await page.getByText("No problems").waitFor();
  await part(page, "Text");
  await page.locator(".cm-content").waitFor();
  expect(await text(page)).toContain(`    - name: extract_data
      plugin: cmd
      inputs: [TRUE]
      outputs: [RAW_DATA]
      params:
        command: echo RAW_DATA=1,2,3
      execution:
        async: false
        timeout: 300`);
  expect(await text(page)).toContain("        depends_on: [extract_data]");
  await part(page, "Properties");

  await saveAndRun(page);
  await runIs(page, "Succeeded");
  const succeeded = nodes(page).getByRole("img", { name: "Succeeded" });
  await until("all six show it", async () => (await succeeded.count()) === 6);
  expect(page.url()).toContain("/build/default/parallel-data-pipeline");
  await node(page, "extract_data").click();
  await pictures(page, "builder-run");
  expect(await barriers(page)).toEqual([]);

  // It breaks: the reason is at the task, and the run can be tried again once the world is mended.
  await node(page, "transform_data").click();
  await fill(page, "command *", 'cat ready && echo "CLEAN_DATA=$RAW_DATA,4"');
  await saveAndRun(page);
  await runIs(page, "Failed");
  await node(page, "transform_data").getByRole("img", { name: "Failed" }).waitFor();
  await node(page, "load_data").getByRole("img", { name: "Skipped" }).waitFor();
  await properties(page).getByText("No such file or directory").waitFor();
  await pictures(page, "builder-failed");
  expect(await barriers(page)).toEqual([]);
  writeFileSync(join(server.folder, "ready"), "");
  // What is changed now is not in the run, which is said.
  await fill(page, "command *", "false");
  await page.getByRole("button", { name: "Retry failed" }).click();
  const asked = page.getByRole("dialog");
  await asked.getByText(/keeps the version that it began with, 0\.1\.1/).waitFor();
  await asked.getByRole("button", { name: "Retry 0.1.1" }).click();
  await runIs(page, "Succeeded");
  await node(page, "load_data").getByRole("img", { name: "Succeeded" }).waitFor();
  const { items } = await server.call<{ items: { version: string }[] }>(
    "GET",
    "/api/v1/workflows/default/parallel-data-pipeline",
  );
  expect(items.map(({ version }) => version)).toEqual(["0.1.1", "0.1.0"]);

  await page.getByRole("link", { name: "Open run" }).click();
  await page.waitForURL("**/runs/*");
  expect([...hosts]).toEqual([new URL(server.url).host]);
  // A name that nobody has registered yet is asked for, and not there.
  expect(complaints.filter((text) => !text.includes("404 (Not Found)"))).toEqual([]);
  await page.context().close();
});

test("text and canvas are two views of one document", async () => {
  const { page, complaints } = await visit(browser, server, "/build?part=text");
  await opened(page, readFileSync(join(EXAMPLES, "parallel-data-pipeline.yaml"), "utf8"));
  await until("six tasks", async () => (await nodes(page).count()) === 6);
  const before = await text(page);

  // From the canvas to the text: what is not touched stays, remarks included.
  await node(page, "backup").click();
  await page.keyboard.press("Delete");
  await until("it is gone", async () => (await nodes(page).count()) === 5);
  const after = await text(page);
  expect(after).toContain("# alone within its run");
  expect(after).not.toContain("scripts/backup.sh");
  await page.locator(".react-flow__pane").click({ position: { x: 10, y: 200 } });
  await page.keyboard.press("Control+z");
  await until("it is back", async () => (await text(page)) === before);

  // From the text to the canvas, with what is wrong on both.
  await page.locator(".cm-line", { hasText: "name: load" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type("er");
  await node(page, "loader").waitFor();
  await page.locator(".cm-line", { hasText: "plugin: end" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type("less");
  await page.getByText("1 error").waitFor();
  await node(page, "end")
    .getByRole("img", { name: /there is no plugin `endless`/ })
    .waitFor();
  await page.locator(".cm-lint-marker-error").waitFor();
  await pictures(page, "builder-text");
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press("Control+z");
  await page.getByText("No problems").waitFor();

  // Text that is no YAML stops the canvas, and is no loss.
  await page.locator(".cm-line").last().click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" [");
  await page.getByText("The text is no YAML").waitFor();
  await until("the canvas stands", async () => (await nodes(page).count()) === 6);
  await page.keyboard.press("Control+z");
  await page.getByText("The text is no YAML").waitFor({ state: "hidden" });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("tasks are copied from tab to tab, as they were written", async () => {
  const { page } = await visit(browser, server, "/build?part=text");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await opened(page, readFileSync(join(EXAMPLES, "disk-monitoring.yaml"), "utf8"));
  await node(page, "watch").click();
  await node(page, "operator").click({ modifiers: ["Shift"] });
  await page.getByRole("button", { name: "Copy the selected tasks (Ctrl+C)" }).click();
  const other = await page.context().newPage();
  await other.goto(`${server.url}/build?part=text`);
  await other.getByRole("button", { name: "Drop it" }).click();
  await other.getByRole("button", { name: "Paste tasks (Ctrl+V)" }).click();
  await node(other, "operator").waitFor();
  await other.getByRole("button", { name: "Paste tasks (Ctrl+V)" }).click();
  await node(other, "operator_2").waitFor();
  expect(await text(other)).toContain("# emitted if the file is touched in time");
  await until("there are four", async () => (await nodes(other).count()) === 4);
  await page.context().close();
});

test("unsaved work survives a closed tab", async () => {
  const { page } = await visit(browser, server, "/build");
  const palette = page.getByRole("region", { name: "Palette" });
  await palette.getByRole("searchbox").fill("request");
  await palette.getByRole("button").first().focus();
  await page.keyboard.press("Enter");
  await node(page, "http").waitFor();
  const context = page.context();
  await page.close({ runBeforeUnload: true });
  const again = await context.newPage();
  await again.goto(`${server.url}/build`);
  await again.getByRole("button", { name: "Restore it" }).click();
  await node(again, "http").waitFor();
  await again.getByText("1 error").waitFor();
  await context.close();
});

test("a run is given what it needs; the workflow leaves as text and as pictures", async () => {
  await server.register(`workflow:
  name: greeting
  tasks:
    - name: greet
      plugin: cmd
      inputs: [WHO]
      params: { command: 'test "$WHO" = Ada && sleep 0.2' }
`);
  const { page } = await visit(browser, server, "/build/default/greeting");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByLabel("WHO").fill("Ada");
  await page.getByRole("dialog").getByRole("button", { name: "Run" }).click();
  await runIs(page, "Succeeded");
  const ways = {
    "Text (YAML)": "yaml",
    Mermaid: "mmd",
    "Picture (SVG)": "svg",
    "Picture (PNG)": "png",
  };
  for (const [name, ending] of Object.entries(ways)) {
    await page.locator("summary", { hasText: "Export" }).click();
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toBe(`greeting.${ending}`);
    expect(readFileSync(await file.path()).length).toBeGreaterThan(20);
  }
  await page.context().close();
});

test("a run is paused, resumed and stopped", async () => {
  await server.register(`workflow:
  name: long
  tasks:
    - { name: first, plugin: sleep, params: { duration: 1h } }
    - { name: second, plugin: noop, execution: { depends_on: [first] } }
`);
  const { page } = await visit(browser, server, "/build/default/long");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText(/^1\/\d+ busy$/).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await runIs(page, "Paused");
  await page.getByRole("button", { name: "Resume" }).click();
  await runIs(page, "Running");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop the run" }).click();
  await runIs(page, "Cancelled");
  await page.context().close();
});

test("a phone shows one part at a time", async () => {
  await server.register(readFileSync(join(EXAMPLES, "fan-out.yaml"), "utf8"));
  const { page } = await visit(browser, server, "/build/default/fan-out");
  await page.setViewportSize(NARROW);
  await page.getByRole("tab", { name: "Canvas" }).waitFor();
  await node(page, "count").click();
  await page.getByRole("tab", { name: "Properties" }).click();
  expect(await properties(page).getByLabel("Name", { exact: true }).inputValue()).toBe("count");
  expect(await overflows(page)).toBe(false);
  await pictures(page, "builder-phone-properties");
  await page.setViewportSize(NARROW);
  await page.getByRole("tab", { name: "Text" }).click();
  await page.locator(".cm-content").waitFor();
  expect(await overflows(page)).toBe(false);
  await page.getByRole("tab", { name: "Add" }).click();
  await page.getByRole("region", { name: "Palette" }).getByText("sleep").click();
  await node(page, "sleep").waitFor();
  expect(await barriers(page)).toEqual([]);
  await page.context().close();
});

/** The lines of a text that are in sight in any case. */
function head(text: string): string {
  return text.split("\n").slice(0, 40).join("\n");
}

test("a variable is renamed wherever it stands, and back in one step", async () => {
  const { page, complaints } = await visit(browser, server, "/build?part=text");
  await opened(page, readFileSync(join(EXAMPLES, "parallel-data-pipeline.yaml"), "utf8"));
  await until("six tasks", async () => (await nodes(page).count()) === 6);
  const before = await text(page);
  await page.locator('.react-flow__edge[aria-label^="RAW_DATA"]').first().dblclick();
  const dialog = page.getByRole("dialog", { name: "Rename RAW_DATA" });
  const name = dialog.getByLabel("New name");
  const rename = dialog.getByRole("button", { name: "Rename everywhere" });
  await name.fill("2_ROWS");
  await dialog.getByText("does not begin with a digit").waitFor();
  await name.fill("CLEAN_DATA");
  await dialog.getByText("CLEAN_DATA is another variable already").waitFor();
  expect(await rename.isDisabled()).toBe(true);
  await name.fill("RAW_ROWS");
  await pictures(page, "builder-rename");
  expect(await barriers(page)).toEqual([]);
  await rename.click();
  await dialog.waitFor({ state: "hidden" });
  expect(head(await text(page))).toBe(head(before.replaceAll(/\bRAW_DATA\b/g, "RAW_ROWS")));
  await page.getByText("No problems").waitFor();
  await page.getByRole("button", { name: "Undo (Ctrl+Z)" }).click();
  await until("it is as it was", async () => head(await text(page)) === head(before));

  // From the panel; and what a plugin knows by its name stays.
  await node(page, "extract").click();
  await part(page, "Properties");
  await properties(page).getByRole("button", { name: "Rename RAW_DATA" }).click();
  await name.fill("RAW_ROWS");
  await page.keyboard.press("Enter");
  await properties(page).getByRole("button", { name: "Rename RAW_ROWS" }).waitFor();
  await page.locator(".react-flow__pane").click({ position: { x: 10, y: 200 } });
  await properties(page).getByRole("button", { name: "Rename MAX_WORKERS" }).click();
  await page.getByText("MAX_WORKERS means something to Loomwork itself.").waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a task's contract and events are made by forms", async () => {
  const { page, complaints } = await visit(browser, server, "/build");
  await opened(
    page,
    "workflow:\n  name: forms\n  tasks:\n    - name: count\n      plugin: cmd\n      outputs: [ROWS]\n      params: { command: echo ROWS=3 }\n",
  );
  await node(page, "count").click();
  const panel = properties(page);
  await panel.locator("summary", { hasText: "Contract" }).click();
  const rows = panel.getByRole("group", { name: "Outputs of a success: ROWS" });
  await rows.getByLabel("Type").selectOption("integer");
  await rows.getByLabel("Must be there").check();
  await rows.getByLabel("At least").fill("1");
  await rows.getByLabel("At least").blur();
  await panel.getByLabel("ERROR of a failure: new member").fill("code");
  await page.keyboard.press("Enter");
  const code = panel.getByRole("group", { name: "ERROR of a failure: code" });
  await code.getByLabel("One of", { exact: true }).fill("no_source");
  await page.keyboard.press("Enter");
  await panel.locator("summary", { hasText: "Events" }).click();
  await panel.getByRole("button", { name: "Add an event" }).click();
  await panel.getByRole("button", { name: "Add an event" }).click();
  const second = panel.getByRole("group", { name: "Event 2" });
  await second.getByLabel("Name").fill("Count");
  await second.getByLabel("Name").blur();
  await second.getByText("Words of a-z").waitFor();
  await second.getByLabel("Name").fill("count.failed");
  await second.getByLabel("Name").blur();
  await second.getByLabel("When the task").selectOption("failure");
  await second.getByLabel("With all declared outputs").uncheck();
  await second.getByLabel("Variables that go with it", { exact: true }).fill("ROWS");
  await page.keyboard.press("Enter");
  await page.getByText("No problems").waitFor();
  await second.scrollIntoViewIfNeeded();
  await pictures(page, "builder-forms");
  expect(await barriers(page)).toEqual([]);
  await part(page, "Text");
  await page.locator(".cm-content").waitFor();
  expect(await text(page)).toContain(`      contract:
        success:
          required: [ROWS]
          properties:
            ROWS:
              type: integer
              minimum: 1
        error:
          required: [code]
          properties:
            code:
              enum: [no_source]
      events:
        - count.done
        - name: count.failed
          on: failure
          payload: [ROWS]`);
  expect(complaints).toEqual([]);
  await page.context().close();
});
