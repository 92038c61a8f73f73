import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../../api/client";
import { all } from "../../api/lists";
import { useLive } from "../../api/live";
import { follow } from "../../api/stream";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import { commitOf, type Webhook } from "./spec";

/** Deliveries go on without an event of their own. */
const EVERY_MS = 5000;
/** The place behind all events of a commit. */
const END = 4_294_967_295;
const PATIENCE_MS = 5000;

/** All webhooks that the caller may see. */
export function useWebhooks() {
  useLive({ types: ["run.finished"] }, ["webhooks", "list"], 2000);
  return useQuery({
    queryKey: ["webhooks", "list"],
    queryFn: () => all((query) => data(api.GET("/api/v1/webhooks", { params: { query } }))),
    refetchInterval: EVERY_MS,
  });
}

/** One of them. */
export function useWebhook(id: string) {
  useLive({ types: ["run.finished"] }, ["webhooks", "one", id], 2000);
  return useQuery({
    queryKey: ["webhooks", "one", id],
    queryFn: () => data(api.GET("/api/v1/webhooks/{id}", { params: { path: { id } } })),
    refetchInterval: EVERY_MS,
  });
}

/** When the events of a place of the feed happened, where the caller may know. */
export function useMoment(cursor: string) {
  const may = useMay();
  const commit = commitOf(cursor);
  return useQuery({
    queryKey: ["events", "moment", commit],
    queryFn: () => momentOf(commit),
    enabled: commit > 0 && may("events:read"),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The time of the first event of a commit; nothing if it was pruned, or is not for the caller. */
function momentOf(commit: number): Promise<string | null> {
  return new Promise((resolve) => {
    const settle = (at: string | null) => {
      clearTimeout(timer);
      end();
      resolve(at);
    };
    const timer = setTimeout(() => settle(null), PATIENCE_MS);
    const end = follow("/api/v1/events", {
      after: `${commit - 1}-${END}`,
      onMessages: ([first]) => {
        const its = first && commitOf(first.id) === commit;
        settle(its ? (JSON.parse(first.data) as { at: string }).at : null);
      },
      onRefused: () => settle(null),
    });
  });
}

/** Tells that something was done, and asks for everything about webhooks again. */
export function useDone(): (text: string) => Promise<void> {
  const client = useQueryClient();
  const toasts = useToasts();
  return async (text) => {
    toasts.done(text);
    await client.invalidateQueries({ queryKey: ["webhooks"] });
  };
}

/** Tells that one was deleted, and forgets it: nobody is to ask for what is gone. */
export function useGone(): (id: string) => Promise<void> {
  const client = useQueryClient();
  const toasts = useToasts();
  return async (id) => {
    const queryKey = ["webhooks", "list"];
    client.setQueryData<{ items: Webhook[]; more: boolean }>(
      queryKey,
      (list) => list && { ...list, items: list.items.filter((it) => it.id !== id) },
    );
    toasts.done("The webhook is deleted");
    await client.invalidateQueries({ queryKey });
  };
}
