/** What a person does in the builder: shared by the tests of the builder and of the whole story. */

import type { Locator, Page } from "playwright-core";
import { until } from "./harness";

export const nodes = (page: Page) => page.locator(".react-flow__node");
export const node = (page: Page, name: string) =>
  nodes(page)
    .filter({ has: page.getByText(name, { exact: true }) })
    .first();
export const properties = (page: Page) => page.getByRole("region", { name: "Properties" });

export async function part(page: Page, name: "Properties" | "Text"): Promise<void> {
  await page.getByRole("tab", { name }).click();
}

/** Drags a plugin from the palette to a place of the canvas, as shares of its size. */
export async function drop(page: Page, plugin: string, x: number, y: number): Promise<void> {
  const before = await nodes(page).count();
  const item = page.getByRole("region", { name: "Palette" }).locator("button", {
    has: page.getByText(plugin, { exact: true }),
  });
  const canvas = page.locator(".react-flow__pane");
  const box = await canvas.boundingBox();
  if (!box) throw new Error("there is no canvas");
  await item.first().dragTo(canvas, { targetPosition: { x: box.width * x, y: box.height * y } });
  await until(`${plugin} is on the canvas`, async () => (await nodes(page).count()) > before);
}

/** Draws a link from a handle of a task to another task. */
async function draw(page: Page, from: string, to: string, handle: "out" | "after"): Promise<void> {
  const start = await center(node(page, from).locator(`[data-handleid="${handle}"]`));
  const end = await center(node(page, to));
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 4 });
  await page.mouse.move(end.x, end.y, { steps: 4 });
  await page.mouse.up();
}

async function center(place: Locator): Promise<{ x: number; y: number }> {
  const box = await place.boundingBox();
  if (!box) throw new Error("it is not to be seen");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

export async function link(
  page: Page,
  from: string,
  to: string,
  variable: string,
  look?: (namer: Locator) => Promise<void>,
): Promise<void> {
  await draw(page, from, to, "out");
  const namer = page.getByRole("form", { name: `Name the variable from ${from} to ${to}` });
  await look?.(namer);
  await namer.getByRole("textbox").fill(variable);
  await page.keyboard.press("Enter");
  await namer.waitFor({ state: "hidden" });
}

export async function fill(page: Page, label: string, value: string): Promise<void> {
  const field = properties(page).getByLabel(label, { exact: true });
  await field.fill(value);
  await field.blur();
}

export async function saveAndRun(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Save and run" }).click();
  await dialog.waitFor({ state: "hidden" });
}

export function runIs(page: Page, state: string): Promise<void> {
  const bar = page.getByRole("region", { name: "Execution controls" });
  return bar.getByText(state, { exact: true }).waitFor();
}

export async function text(page: Page): Promise<string> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".cm-content .cm-line")]
      .map((line) => line.textContent)
      .join("\n"),
  );
}

export async function opened(page: Page, yaml: string): Promise<void> {
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("tab", { name: "Import" }).click();
  await page.getByLabel("Or paste its text").fill(yaml);
  await page.getByRole("button", { name: "Open the text" }).click();
}

/** The tasks of the pipeline, and where they are dropped. */
const PIPELINE = [
  { plugin: "start", name: "start", at: [0.4, 0.16] },
  { plugin: "cmd", name: "extract_data", at: [0.3, 0.34] },
  { plugin: "cmd", name: "transform_data", at: [0.2, 0.54] },
  { plugin: "cmd", name: "backup_raw", at: [0.7, 0.54] },
  { plugin: "cmd", name: "load_data", at: [0.45, 0.74] },
  { plugin: "end", name: "end", at: [0.8, 0.34] },
] as const;

/** Builds the parallel data pipeline by dragging, linking and typing; `commands` are by task. */
export async function buildPipeline(page: Page, commands: Record<string, string>): Promise<void> {
  await fill(page, "Name", "parallel-data-pipeline");
  for (const { plugin, name, at } of PIPELINE) {
    await drop(page, plugin, at[0], at[1]);
    if (plugin === "cmd") await fill(page, "Name", name);
    await node(page, name).waitFor();
  }
  await link(page, "start", "extract_data", "TRUE");
  await link(page, "extract_data", "transform_data", "RAW_DATA");
  await link(page, "extract_data", "backup_raw", "RAW_DATA");
  await draw(page, "extract_data", "backup_raw", "after");
  await link(page, "transform_data", "load_data", "CLEAN_DATA");
  await link(page, "backup_raw", "load_data", "BACKUP_LOCATION");
  for (const [name, command] of Object.entries(commands)) await retype(page, name, command);
}

/** Gives a task another command. */
export async function retype(page: Page, task: string, command: string): Promise<void> {
  await node(page, task).click();
  await fill(page, "command *", command);
}

/** Saves what is on the canvas as a version, and waits until it is. */
export async function save(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("saved", { exact: true }).waitFor();
}
