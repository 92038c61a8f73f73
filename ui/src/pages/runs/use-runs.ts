/** The runs of a filter, page by page, kept up to date. */

import {
  type InfiniteData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, data, type Schema } from "../../api/client";
import { type LiveEvent, Throttle, useEvents, useLive } from "../../api/live";
import { changedPages } from "./changes";
import type { Filter } from "./filter";

const PAGE = 100;
const EVENTS = ["run."];
/** How often somebody looks for new runs while many begin. */
const LOOK_MS = 1500;

type Pages = InfiniteData<Schema<"RunList">, string | undefined>;

export function useRuns(filter: Filter) {
  const key = useMemo(() => ["runs", "list", filter], [filter]);
  const client = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/runs", {
          params: {
            query: {
              ...filter,
              limit: PAGE,
              ...(pageParam !== undefined && { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // Events change rows in place; new ones are announced and come when they are asked for.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnMount: "always",
    refetchOnWindowFocus: false,
  });
  const change = useCallback(
    (events: LiveEvent[]) =>
      client.setQueryData<Pages>(key, (known) => {
        if (!known) return known;
        const pages = changedPages(known.pages, events);
        return pages.some((page, at) => page !== known.pages[at]) ? { ...known, pages } : known;
      }),
    [client, key],
  );
  // An answer that is on its way may be older than an event, and would undo it.
  const meanwhile = useRef<LiveEvent[]>([]);
  useEvents({ types: EVENTS }, (events) => {
    change(events);
    if (client.isFetching({ queryKey: key }) > 0) meanwhile.current.push(...events);
  });
  const { isFetching } = list;
  useEffect(() => {
    if (isFetching || meanwhile.current.length === 0) return;
    change(meanwhile.current);
    meanwhile.current = [];
  }, [isFetching, change]);
  const runs = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const fresh = useFresh(filter, runs);
  const refresh = async () => {
    // All pages but the first are let go: only what is looked at is loaded again.
    client.setQueryData<Pages>(
      key,
      (known) =>
        known && { pages: known.pages.slice(0, 1), pageParams: known.pageParams.slice(0, 1) },
    );
    await list.refetch();
  };
  return { list, runs, fresh, refresh };
}

/** How many runs came since the list was loaded. */
function useFresh(filter: Filter, runs: Schema<"RunView">[]): number {
  const [fresh, setFresh] = useState(0);
  const newest = runs[0];
  const throttle = useRef<Throttle>(undefined);
  throttle.current ??= new Throttle();
  throttle.current.every = LOOK_MS;
  throttle.current.act = () => {
    const query = { ...filter, limit: 200, ...(newest && { created_from: newest.created_at }) };
    api
      .GET("/api/v1/runs", { params: { query } })
      .then(({ data: list }) => {
        const known = new Set(runs.map((run) => run.id));
        setFresh(list?.items.filter((run) => !known.has(run.id)).length ?? 0);
      })
      .catch(() => undefined);
  };
  useEffect(() => () => throttle.current?.cancel(), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another first row means another list
  useEffect(() => setFresh(0), [newest?.id, filter]);
  useEvents({ types: ["run.started"] }, () => throttle.current?.poke());
  return fresh;
}

/** How many runs there are in each state, whatever states are chosen. */
export function useCounts(filter: Filter) {
  const { status: _, ...rest } = filter;
  useLive({ types: EVENTS }, ["runs", "counts"], 2000);
  return useQuery({
    queryKey: ["runs", "counts", rest],
    queryFn: () => data(api.GET("/api/v1/runs/counts", { params: { query: rest } })),
    placeholderData: (before) => before,
  });
}
