/** Watches a run, and draws again what changed of it. */

import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { api, data, type Schema } from "../../api/client";
import { wholeRun } from "../../api/lists";
import { queries } from "../../api/queries";
import { type Picture, pictureOf, type TaskDef, tasksOf } from "./definition";
import { Live } from "./live";
import type { Detail, TaskState } from "./model/state";

/** A run with all that its views draw. */
export interface Watched {
  detail: Detail;
  submission: Schema<"RunSubmission">;
  definition: Map<string, TaskDef>;
  picture: Picture;
  live: Live;
}

const Context = createContext<Watched | null>(null);
export const WatchedRun = Context.Provider;

/** The run of this page. */
export function useWatched(): Watched {
  const watched = useContext(Context);
  if (!watched) throw new Error("there is no run around this");
  return watched;
}

const detailOf = (id: string) => ({
  queryKey: ["run", id],
  queryFn: () => wholeRun(id),
});

/** Asks for the run anew, past what is at hand. */
function reload(id: string): Promise<Detail> {
  return queries.fetchQuery({ ...detailOf(id), staleTime: 0 });
}

/** Loads a run and follows it. */
export function useRun(id: string): {
  run: Watched | undefined;
  error: Error | null;
  retry: () => void;
} {
  const detail = useQuery({
    ...detailOf(id),
    refetchOnMount: "always",
    refetchOnWindowFocus: false,
  });
  const submission = useQuery({
    queryKey: ["run", id, "submission"],
    queryFn: () => data(api.GET("/api/v1/runs/{id}/submission", { params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [run, setRun] = useState<Watched>();
  const first = detail.data;
  const begun = submission.data;
  const ready = first !== undefined && begun !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: later snapshots go into the same model
  useEffect(() => {
    if (!first || !begun) return;
    const tasks = tasksOf(begun.definition);
    const live = new Live(first, tasks, () => reload(id));
    const definition = new Map(tasks.map((task) => [task.name, task]));
    setRun({ detail: first, submission: begun, definition, picture: pictureOf(tasks), live });
    const end = live.start(id);
    return () => {
      end();
      setRun(undefined);
    };
  }, [id, ready]);
  const current = run && first ? { ...run, detail: first } : undefined;
  const retry = () => {
    void detail.refetch();
    void submission.refetch();
  };
  return { run: current, error: run ? null : (detail.error ?? submission.error), retry };
}

/** How often what is said of the whole run is drawn again. */
const HEAD_MS = 150;

/** A number that changes with the model, once every so many milliseconds at most. */
export function useRevision(live: Live, every = HEAD_MS): number {
  const [revision, setRevision] = useState(live.revision);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setRevision(live.revision);
      }, every);
    };
    tell();
    const end = live.subscribe(tell);
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [live, every]);
  return revision;
}

/** Where one task stands; drawn again only if that changes. */
export function useTask(name: string): TaskState | undefined {
  const { live } = useWatched();
  return useSyncExternalStore(
    (listener) => live.subscribeTask(name, listener),
    () => live.task(name),
  );
}
