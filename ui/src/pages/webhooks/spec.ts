/** A webhook in words, as it stands in the form, and as the API takes it. */

import { api, type Schema } from "../../api/client";
import { shown } from "../../api/version";
import type { May } from "../../shell/permit";

export type Webhook = Schema<"WebhookView">;
type Spec = Schema<"ChangeWebhook">;

/** How it stands. */
export type State = "delivering" | "failing" | "paused";

export interface Draft {
  url: string;
  description: string;
  /** `run.finished`, `task.*`; none is all. */
  types: readonly string[];
  /** Names with commas; empty is all. */
  namespaces: string;
  workflow: string;
  attempts: string;
  initial: string;
  most: string;
  /** One of their own; empty has one made. */
  secret: string;
}

export const NEW_WEBHOOK: Draft = {
  url: "",
  description: "",
  types: ["run.finished"],
  namespaces: "",
  workflow: "",
  attempts: "12",
  initial: "1",
  most: "600",
  secret: "",
};

/** A webhook as it is now. */
export function readWebhook(id: string) {
  return shown<Webhook>(api.GET("/api/v1/webhooks/{id}", { params: { path: { id } } }));
}

/** One to be changed. */
export function draftOf(it: Webhook): Draft {
  return {
    ...NEW_WEBHOOK,
    url: it.url,
    description: it.description,
    types: it.types,
    namespaces: (it.namespaces ?? []).join(", "),
    workflow: it.workflow ?? "",
    attempts: String(it.retry.max_attempts ?? 12),
    initial: String(it.retry.initial_s ?? 1),
    most: String(it.retry.max_s ?? 600),
  };
}

/** What to send. */
export function specOf(draft: Draft): Spec {
  const namespaces = draft.namespaces.split(/[\s,]+/).filter(Boolean);
  return {
    url: draft.url.trim(),
    description: draft.description.trim(),
    types: [...draft.types],
    retry: {
      max_attempts: Number(draft.attempts),
      initial_s: Number(draft.initial),
      max_s: Number(draft.most),
    },
    ...(namespaces.length > 0 && { namespaces }),
    ...(draft.workflow !== "" && { workflow: draft.workflow }),
  };
}

/** How a webhook stands. */
export function stateOf({ paused, failing }: Webhook): State {
  if (paused) return "paused";
  return failing ? "failing" : "delivering";
}

/** An address without what all have. */
export function nameOf({ url }: Pick<Webhook, "url">): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

/** Which events it is told of. */
export function eventsText({ types, workflow, namespaces }: Webhook): string {
  const what = types.length === 0 ? "all events" : types.join(", ");
  const where = namespaces ? ` in ${namespaces.join(", ")}` : "";
  return `${what}${workflow ? ` of ${workflow}` : ""}${where}`;
}

/** Whether somebody may do something with a webhook: in all of its namespaces, or everywhere. */
export function mayWith(may: May, permission: string, { namespaces }: Webhook): boolean {
  return (namespaces ?? ["*"]).every((namespace) => may(permission, namespace));
}

/** The commit that a place of the feed is in; 0 before the first. */
export function commitOf(cursor: string): number {
  return Number(cursor.split("-")[0]);
}

/** Types with those taken out that a family names with others. */
export function toggled(types: readonly string[], type: string, on: boolean): string[] {
  const others = types.filter((it) => it !== type && !(on && covers(type, it)));
  return on ? [...others, type] : others;
}

/** Whether a type is one of those that a family, such as `task.*`, stands for. */
export function covers(family: string, type: string): boolean {
  return family.endsWith(".*") && family !== type && type.startsWith(family.slice(0, -1));
}
