/** What was asked lately, kept at hand. */

import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

/** How often somebody looks whether a server that is away has come back. */
const AWAY_MS = 1000;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // A refusal stays one; a server that is away comes back.
      retry: (_, error) => error instanceof ApiError && (error.unreachable || error.status === 503),
      retryDelay: AWAY_MS,
      // Loopback has no `online` event.
      networkMode: "always",
    },
    mutations: { retry: false, networkMode: "always" },
  },
});
