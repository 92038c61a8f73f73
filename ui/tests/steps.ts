/** Steps that several tests of pages take. */

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { barriers, NARROW, overflows, pictures, WIDE } from "./harness";

/** Axe, pictures and widths of what is shown now. */
export async function inspect(page: Page, name: string): Promise<void> {
  expect(await barriers(page)).toEqual([]);
  await pictures(page, name);
  for (const size of [NARROW, { width: 360, height: 740 }, { width: 2560, height: 1300 }]) {
    await page.setViewportSize(size);
    expect(await overflows(page), `${name} at ${size.width}`).toBe(false);
  }
  await page.setViewportSize(WIDE);
}

/** Presses the button of the dialog that is open. */
export function confirm(page: Page, action: string): Promise<void> {
  return page.getByRole("dialog").getByRole("button", { name: action, exact: true }).click();
}
