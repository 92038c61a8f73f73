import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Permissive, or copyleft no wider than a file: what `deny.toml` allows of crates. */
const ALLOWED = [
  "MIT",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MPL-2.0",
  "Zlib",
  "0BSD",
];
/** By name, and each for a reason: docs/design/0010-web-interface.md. */
const EXCEPTIONS: Record<string, string> = { "node_modules/elkjs": "EPL-2.0 OR GPL-3.0-or-later" };

interface Entry {
  license?: string;
  dev?: boolean;
}

test("what goes into the pages is under licences that the project takes", () => {
  const text = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, Entry> };
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== "" && !dev);
  const others = shipped.filter(([path, { license = "" }]) => {
    const named = license.replace(/[()]/g, "").split(" OR ");
    return EXCEPTIONS[path] !== license && !named.some((name) => ALLOWED.includes(name));
  });
  expect(shipped.length).toBeGreaterThan(10);
  expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});
