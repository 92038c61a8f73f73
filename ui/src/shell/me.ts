/** Who sits before the screen, and what they may do. */

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, data, type Schema } from "../api/client";
import { type May, mayOf } from "./permit";

const MINUTE = 60_000;

/** What the server says of the caller. */
export function useMe() {
  return useQuery<Schema<"Me">>({
    queryKey: ["me"],
    queryFn: () => data(api.GET("/api/v1/me")),
    // Roles change rarely, and the server refuses whatever was taken away.
    staleTime: MINUTE,
    refetchInterval: 5 * MINUTE,
  });
}

/** Whether the caller may do something, in a namespace or anywhere: what they may not is not offered. */
export function useMay(): May {
  const { data: me } = useMe();
  return useMemo(() => mayOf(me), [me]);
}
