import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { api, data, type Schema } from "../../api/client";
import { useLive } from "../../api/live";
import { type Bucket, bucketsOf, type Period } from "./figures";

const RUNS = ["run."];
const EVERY_MS = 3000;

/** How the server stands, kept up to date. */
export function useStatus(enabled = true) {
  useLive({ types: ["run.", "task."] }, ["overview", "status"], EVERY_MS);
  return useQuery({
    queryKey: ["overview", "status"],
    queryFn: () => data(api.GET("/health/status")),
    enabled,
    refetchInterval: 10_000,
  });
}

/** The first runs of a state, in an order. */
export function useFew(state: Schema<"RunState">, sort: string, limit: number) {
  useLive({ types: RUNS }, ["overview", "runs", state], EVERY_MS);
  return useQuery({
    queryKey: ["overview", "runs", state, sort, limit],
    queryFn: () =>
      data(
        api.GET("/api/v1/runs", {
          params: { query: { status: [state], sort: sort as never, limit } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function usePerformance(period: Period) {
  const hours = { "1h": 1, "24h": 24, "7d": 168 }[period];
  useLive({ types: ["run.finished"] }, ["overview", "performance"], EVERY_MS);
  return useQuery({
    queryKey: ["overview", "performance", hours],
    queryFn: () => data(api.GET("/api/v1/analytics/performance", { params: { query: { hours } } })),
    placeholderData: keepPreviousData,
  });
}

/** How many runs ended in each part of the period, by outcome. What is over is asked for once. */
export function useOutcomes(period: Period, now: number) {
  const buckets = bucketsOf(period, now);
  useLive({ types: ["run.finished"] }, ["overview", "outcomes", "now"], EVERY_MS);
  const counts = useQueries({
    queries: buckets.map((bucket, at) => {
      const isOver = at < buckets.length - 1;
      return {
        queryKey: ["overview", "outcomes", isOver ? "over" : "now", bucket.from, bucket.to],
        queryFn: () => countsIn(bucket),
        staleTime: isOver ? Number.POSITIVE_INFINITY : 0,
      };
    }),
  });
  return {
    buckets,
    counts: counts.map((count) => count.data),
    error: counts.find((count) => count.error)?.error ?? null,
  };
}

function countsIn({ from, to }: Bucket) {
  const query = {
    finished_from: new Date(from).toISOString(),
    finished_until: new Date(to).toISOString(),
  };
  return data(api.GET("/api/v1/runs/counts", { params: { query } }));
}

/** Ended runs that durations are computed from, at most. */
const SAMPLE_PAGES = 5;
const PAGE = 200;

/** The newest runs that ended in the period. */
export function useEnded(period: Period, from: number) {
  useLive({ types: ["run.finished"] }, ["overview", "ended"], 10_000);
  return useQuery({
    queryKey: ["overview", "ended", period, from],
    queryFn: async () => {
      const runs: Schema<"RunView">[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < SAMPLE_PAGES; page += 1) {
        const query = {
          finished_from: new Date(from).toISOString(),
          sort: "-finished_at" as const,
          limit: PAGE,
          ...(cursor !== undefined && { cursor }),
        };
        const list = await data(api.GET("/api/v1/runs", { params: { query } }));
        runs.push(...list.items);
        cursor = list.next_cursor ?? undefined;
        if (cursor === undefined) break;
      }
      return { runs, isAll: cursor === undefined };
    },
    placeholderData: keepPreviousData,
  });
}
