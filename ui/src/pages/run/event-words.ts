/** Events in words. */

import type { RunEvent } from "./model/state";
import { shownValue } from "./values";
import { counted, firstLine, skippedBecause } from "./words";

const STATES: Record<string, string> = {
  "run.started": "running",
  "run.paused": "paused",
  "run.resumed": "running",
  "run.cancel_requested": "cancelled",
  "run.reopened": "backing_off",
  "task.started": "running",
  "task.succeeded": "succeeded",
  "task.failed": "failed",
  "task.gathered": "succeeded",
  "task.interrupted": "backing_off",
  "task.skipped": "skipped",
  "task.cancel_requested": "cancelled",
  "task.skip_requested": "skipped",
  "task.cancelled": "cancelled",
  "task.resolved": "resolved",
  "task.fired": "ready",
  "task.assigned": "ready",
  "task.declared": "waiting",
  "task.amended": "paused",
};

/** The state whose shape and colour an event has. */
export function eventState(event: RunEvent): string {
  if (event.type === "run.finished") return event.outcome;
  if (event.type === "task.gathered" && event.failed > 0) return "failed";
  return STATES[event.type] ?? "ready";
}

/** What an event says besides its type and its task. */
export function eventSays(event: RunEvent): string {
  switch (event.type) {
    case "run.started":
      return `${event.workflow} ${event.version}`;
    case "run.paused":
    case "run.resumed":
      return `by ${event.by}`;
    case "run.cancel_requested":
    case "task.cancel_requested":
    case "task.skip_requested":
      return `by ${event.by}${event.reason ? `: ${event.reason}` : ""}`;
    case "run.reopened":
      return `by ${event.by}: ${event.tasks.join(", ")}`;
    case "run.finished":
      return event.outcome;
    case "task.fired":
      return event.items ? `over ${counted(event.items.length, "item")}` : "";
    case "task.assigned":
    case "task.started":
    case "task.interrupted":
      return event.attempt > 1 ? `attempt ${event.attempt}` : "";
    case "task.succeeded":
      return said(event.outputs);
    case "task.failed":
      return `${firstLine(event.failure)}${event.retry_at ? ", and is tried again" : ""}`;
    case "task.gathered":
      return event.failed > 0 ? `${event.failed} failed` : "all items succeeded";
    case "task.skipped":
      return skippedBecause(event.reason as Record<string, unknown>);
    case "task.amended":
      return `by ${event.by}`;
    case "task.resolved":
      return `by ${event.by}${event.reason ? `: ${event.reason}` : ""}`;
    case "custom":
      return event.name;
    default:
      return "";
  }
}

function said(outputs: { name: string; value: unknown }[] | undefined): string {
  return (outputs ?? [])
    .map(({ name, value }) => `${name}=${shownValue(value)}`)
    .join(", ")
    .slice(0, 300);
}
