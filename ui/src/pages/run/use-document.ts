/** The text that a run's workflow was registered with. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, data } from "../../api/client";
import { useWatched } from "./use-live";

/** The document, if it was registered and has the run's tasks; a run may be of a file instead. */
export function useDocument(): {
  source: string | undefined;
  isRegistered: boolean;
  isLoading: boolean;
} {
  const { detail, submission, definition } = useWatched();
  const { namespace, workflow: name, version } = detail;
  const known = useQuery({
    queryKey: ["workflow", namespace, name, version],
    queryFn: () =>
      data(
        api.GET("/api/v1/workflows/{namespace}/{name}/{version}", {
          params: { path: { namespace, name, version } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: submission.external == null,
  });
  const isSame = known.data?.tasks === definition.size;
  return {
    source: (isSame && known.data?.source) || undefined,
    isRegistered: known.data !== undefined,
    isLoading: known.isLoading,
  };
}

const NONE: ReadonlySet<string> = new Set();

/** Tasks whose workflow says in so many words that they run beside others. */
export function useDotted(): ReadonlySet<string> {
  const { source } = useDocument();
  const [dotted, setDotted] = useState(NONE);
  useEffect(() => {
    // Reading a document takes a while; few say anything of the kind.
    if (!source || !/\basync\b["']?\s*:\s*true/.test(source)) return;
    let wanted = true;
    void import("./text-place").then(({ asyncTasks }) => {
      if (wanted) setDotted(asyncTasks(source));
    });
    return () => {
      wanted = false;
    };
  }, [source]);
  return dotted;
}
