import { expect, test } from "vitest";
import { cutTo } from "./measure";

const measure = (text: string) => 8 * text.length;

test("a text is cut only where there is no room for it", () => {
  expect(cutTo(40, "fetch", measure)).toBe("fetch");
  expect(cutTo(40, "fetching", measure)).toBe("fetc…");
  expect(cutTo(0, "fetching", measure)).toBe("f…");
});
