/** What events change of rows that are shown already. */

import type { LiveEvent } from "../../api/live";
import type { RunView } from "./filter";

type RunEvent = LiveEvent & { outcome?: string };

/** A row after an event, or the same row if it changes nothing of it. */
export function changed(run: RunView, event: RunEvent): RunView {
  switch (event.type) {
    case "run.started":
    case "run.resumed":
    case "run.reopened": {
      const { finished_at: _, ...rest } = run;
      return { ...rest, state: "running", alive: true, started_at: run.started_at ?? event.at };
    }
    case "run.paused":
      return { ...run, state: "paused" };
    case "run.finished":
      return {
        ...run,
        state: (event.outcome ?? run.state) as RunView["state"],
        alive: false,
        finished_at: event.at,
      };
    default:
      return run;
  }
}

/** Pages of rows after events; the same pages if none of their rows changes. */
export function changedPages<Page extends { items: RunView[] }>(
  pages: Page[],
  events: RunEvent[],
): Page[] {
  const byRun = new Map<string, RunEvent[]>();
  for (const event of events) {
    const some = byRun.get(event.run);
    if (some) some.push(event);
    else byRun.set(event.run, [event]);
  }
  return pages.map((page) => {
    if (!page.items.some((run) => byRun.has(run.id))) return page;
    const items = page.items.map((run) => (byRun.get(run.id) ?? []).reduce(changed, run));
    return { ...page, items };
  });
}
