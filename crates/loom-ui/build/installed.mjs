// Succeeds if `node_modules` of a folder has what its `package-lock.json` says.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const packages = (name) => JSON.parse(readFileSync(join(folder, name), "utf8")).packages;

try {
  const wanted = packages("package-lock.json");
  // npm notes here what it has installed.
  const found = packages("node_modules/.package-lock.json");
  const isRight = ([path, entry]) =>
    // What is optional is left out on systems that it is not for.
    path === "" || found[path]?.integrity === (found[path] || !entry.optional ? entry.integrity : undefined);
  process.exitCode = Object.entries(wanted).every(isRight) ? 0 : 1;
} catch {
  process.exitCode = 1;
}
