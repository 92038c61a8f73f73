/** The versions of a run's workflow: what it can be run again with, and where it can be mended. */

import { useQuery } from "@tanstack/react-query";
import { api, data, type Schema } from "../../../api/client";
import { useMay } from "../../../shell/me";
import { useDocument } from "../use-document";
import { useWatched } from "../use-live";

export type Version = Schema<"WorkflowView">;

export interface Versions {
  /** All that are registered, newest first; none if the run is of a file. */
  all: Version[];
  /** The newest that was saved since the run began. */
  newer: Version | undefined;
  /** Where its text can be changed, if the caller may save it. */
  builder: string | undefined;
}

export function useVersions(): Versions {
  const { detail } = useWatched();
  const { isRegistered } = useDocument();
  const may = useMay();
  const { namespace, workflow: name } = detail;
  const known = useQuery({
    queryKey: ["workflow", namespace, name],
    queryFn: () =>
      data(
        api.GET("/api/v1/workflows/{namespace}/{name}", { params: { path: { namespace, name } } }),
      ),
    enabled: isRegistered && may("workflows:get", namespace),
    // Whoever mended it comes back to this page, or to its tab.
    staleTime: 0,
    refetchOnWindowFocus: "always",
  });
  const all = known.data?.items ?? [];
  const canSave = all.length > 0 && may("workflows:register", namespace);
  const path = `/build/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  return { all, newer: newerOf(all, detail), builder: canSave ? path : undefined };
}

/** The newest version that was saved after a run was accepted, and can be run. */
export function newerOf(
  all: Version[],
  run: { version: string; created_at: string },
): Version | undefined {
  const began = Date.parse(run.created_at);
  return all.find(
    ({ version, disabled, registered_at }) =>
      !disabled && version !== run.version && Date.parse(registered_at) > began,
  );
}
