/** What a caller may do, by what the server said of them. */

import type { Schema } from "../api/client";

export type May = (permission: string, namespace?: string) => boolean;

/**
 * Whether a permission is held: in this namespace, or without one anywhere at all. What belongs to
 * no namespace (tokens, roles, the audit log) needs one that holds everywhere: ask with `"*"`.
 */
export function mayOf(me: Schema<"Me"> | undefined): May {
  return (permission, namespace) => {
    const held = me?.permissions[permission];
    if (!held) return false;
    if (!held.namespaces || namespace === undefined) return true;
    return held.namespaces.includes(namespace);
  };
}
