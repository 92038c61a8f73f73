import { expect, test } from "vitest";
import { newerOf, type Version } from "./use-versions";

const run = { version: "1.1.0", created_at: "2026-11-21T10:00:00Z" };
const version = (version: string, registered_at: string, more: Partial<Version> = {}): Version => ({
  namespace: "default",
  name: "w",
  version,
  description: "",
  tags: [],
  disabled: false,
  registered_at,
  registered_by: "ada",
  hash: "",
  tasks: 1,
  ...more,
});

test("what was saved since a run began is newer than it", () => {
  const own = version("1.1.0", "2026-11-21T09:00:00Z");
  const old = version("1.2.0", "2026-11-21T09:30:00Z");
  const mended = version("1.2.1", "2026-11-21T10:05:00Z");
  expect(newerOf([old, own], run)).toBeUndefined();
  expect(newerOf([mended, old, own], run)).toBe(mended);
  const disabled = version("1.3.0", "2026-11-21T10:06:00Z", { disabled: true });
  expect(newerOf([disabled, mended, own], run)).toBe(mended);
});
