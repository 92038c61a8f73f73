/** Permissions, as people choose them. */

import type { Schema } from "../../api/client";

/** `resource:action`, by resource: those that the caller holds everywhere, and so may give away. */
export function givable(me: Schema<"Me">): [resource: string, permissions: string[]][] {
  const groups = new Map<string, string[]>();
  for (const [permission, { namespaces }] of Object.entries(me.permissions)) {
    if (namespaces) continue;
    const [resource = ""] = permission.split(":");
    groups.set(resource, [...(groups.get(resource) ?? []), permission]);
  }
  return [...groups];
}

/** Whether a permission is among those that patterns name: `runs:get`, `runs:*`, `*`. */
export function covered(permission: string, patterns: readonly string[]): boolean {
  const [resource] = permission.split(":");
  return patterns.some((it) => it === "*" || it === `${resource}:*` || it === permission);
}
