/** Lists that several pages ask for. */

import { useQuery } from "@tanstack/react-query";
import { api, data, type Schema } from "./client";

/** The most that a page of a list may have. */
const PAGE = 200;
/** How many pages are asked for at most: what searches by words looks at all of it. */
const PAGES_MAX = 10;

interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
}

/** All pages of a list one after the other; `more` if even those are not all. */
export async function all<Item>(
  page: (query: { limit: number; cursor?: string }) => Promise<Page<Item>>,
): Promise<{ items: Item[]; more: boolean }> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let at = 0; at < PAGES_MAX; at += 1) {
    const next = await page({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    items.push(...next.items);
    cursor = next.next_cursor ?? undefined;
    if (cursor === undefined) return { items, more: false };
  }
  return { items, more: true };
}

/** The newest version of each workflow, of one namespace or of all. */
export function useWorkflows(namespace = "") {
  return useQuery<{ items: Schema<"WorkflowView">[]; more: boolean }>({
    queryKey: ["workflows", namespace],
    queryFn: () =>
      all((query) =>
        data(
          api.GET("/api/v1/workflows", {
            params: { query: { ...query, ...(namespace && { namespace }) } },
          }),
        ),
      ),
  });
}

/** The names of the namespaces that the caller may see. */
export function useNamespaces(): string[] {
  const { data: list } = useQuery({
    queryKey: ["namespaces"],
    queryFn: () => all((query) => data(api.GET("/api/v1/namespaces", { params: { query } }))),
  });
  return list?.items.map(({ name }) => name) ?? [];
}

/** Everything that tasks can run, as a query asks for it. */
export const pluginsQuery = {
  queryKey: ["plugins"],
  queryFn: () => all((query) => data(api.GET("/api/v1/plugins", { params: { query } }))),
};

/** All roles, as a query asks for them. */
export const rolesQuery = {
  queryKey: ["roles"],
  queryFn: () => all((query) => data(api.GET("/api/v1/roles", { params: { query } }))),
};

/** The most tasks that a page of a run's may have. */
const TASKS_PAGE = 10_000;

/**
 * A run with all its tasks. Those that do not come with it are asked for; the pages are of one moment,
 * so what happened since is told by the events behind `last_seq`.
 */
export async function wholeRun(id: string): Promise<Schema<"RunDetail">> {
  const path = { id };
  const query = { tasks: TASKS_PAGE };
  const detail = await data(api.GET("/api/v1/runs/{id}", { params: { path, query } }));
  let cursor = detail.next_cursor ?? undefined;
  while (cursor !== undefined) {
    const query = { limit: TASKS_PAGE, cursor };
    const page = await data(api.GET("/api/v1/runs/{id}/tasks", { params: { path, query } }));
    detail.tasks.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  }
  return detail;
}
