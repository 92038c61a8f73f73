/** Runs the workflow that is built: saves it first if it has to, asks for what it needs, and watches it. */

import { useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { api, data, type Schema } from "../../../api/client";
import { useToasts } from "../../../kit/toast";
import type { JsonMap } from "../document/json";
import { hasEnded, type LiveRun } from "../run/live";
import { useLive } from "../run/use-live";

export interface Runner {
  live: LiveRun | undefined;
  /** The most tasks at once of the run that is watched. */
  granted: number | undefined;
  /** The version that this run began with. */
  version: string | undefined;
  workers: number | undefined;
  setWorkers: (workers: number | undefined) => void;
  /** What has to be asked for before the run begins. */
  asks: Schema<"WorkflowView"> | undefined;
  busy: boolean;
  /** Runs a registered version. */
  begin: (namespace: string, name: string, version: string) => Promise<void>;
  start: (workflow: Schema<"WorkflowView">, variables: JsonMap, reason: string) => Promise<void>;
  dismiss: () => void;
  forget: () => void;
}

export function useRun(): Runner {
  const [query] = useSearchParams();
  const tell = useToasts();
  const id = query.get("run") ?? undefined;
  const live = useLive(id);
  const [workers, setWorkers] = useState<number>();
  const [asks, setAsks] = useState<Schema<"WorkflowView">>();
  const [busy, setBusy] = useState(false);
  const ended = live !== undefined && hasEnded(live.state);
  const run = useQuery({
    queryKey: ["runs", id, "granted", ended],
    queryFn: () => {
      const params = { path: { id: id ?? "" }, query: { tasks: 0 } };
      return data(api.GET("/api/v1/runs/{id}", { params }));
    },
    enabled: id !== undefined,
  });
  const navigate = useNavigate();
  // A run that begins after a save begins at another address than it was asked for at.
  const watch = useCallback(
    (run: string | undefined) => {
      const { pathname, search } = window.location;
      const query = new URLSearchParams(search);
      if (run === undefined) query.delete("run");
      else query.set("run", run);
      navigate({ pathname, search: query.toString() }, { replace: true });
    },
    [navigate],
  );
  const start: Runner["start"] = useCallback(
    async ({ namespace, name, version }, variables, reason) => {
      const body = {
        workflow: name,
        namespace,
        version,
        variables,
        ...(workers !== undefined && { workers }),
        ...(reason !== "" && { reason }),
      };
      const started = await data(api.POST("/api/v1/runs", { body }));
      setAsks(undefined);
      watch(started.id);
    },
    [workers, watch],
  );
  const begin: Runner["begin"] = useCallback(
    async (namespace, name, version) => {
      setBusy(true);
      try {
        const params = { path: { namespace, name, version } };
        const found = await data(
          api.GET("/api/v1/workflows/{namespace}/{name}/{version}", { params }),
        );
        if ((found.needs ?? []).length > 0) setAsks(found);
        else await start(found, {}, "");
      } catch (error) {
        tell.failed(error);
      } finally {
        setBusy(false);
      }
    },
    [start, tell],
  );
  return {
    live,
    granted: run.data?.workers,
    version: run.data?.version,
    workers,
    setWorkers,
    asks,
    busy,
    begin,
    start,
    dismiss: () => setAsks(undefined),
    forget: () => watch(undefined),
  };
}
