/** Whether the server is there. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, data } from "../api/client";
import { useConnection } from "../api/live";

/** A break that is shorter is nobody's business. */
const PATIENCE_MS = 1000;
const PROBE_MS = 3000;

/** Whether the server is away. When it comes back, everything on the page is asked for again. */
export function useAway(): boolean {
  const client = useQueryClient();
  const gone = useGone();
  const was = useRef(false);
  const [away, setAway] = useState(false);
  useEffect(() => {
    if (!gone) {
      setAway(false);
      if (was.current) void client.invalidateQueries();
      was.current = false;
      return;
    }
    was.current = true;
    const timer = setTimeout(() => setAway(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [gone, client]);
  return away;
}

function useGone(): boolean {
  const connection = useConnection();
  // Who may not listen to events has to look.
  const probe = useQuery({
    queryKey: ["alive"],
    queryFn: () => data(api.GET("/health/live")),
    enabled: connection === "refused",
    refetchInterval: PROBE_MS,
  });
  const broken = useRef(false);
  // On the way from `away` back to `open` lie tries that say `connecting`.
  if (connection === "away") broken.current = true;
  if (connection === "open" || connection === "refused") broken.current = false;
  return broken.current || (connection === "refused" && probe.failureCount > 0);
}
