/** The typed client of the server's API, and what a refusal of it looks like. */

import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";
import { forgetToken, token } from "./token";

/** What the document calls a schema. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** An answer that says no, or none at all. */
export class ApiError extends Error {
  /** The status; 0 if the server could not be reached. */
  readonly status: number;
  /** The problem document, if there is one. */
  readonly problem: Schema<"ProblemDocument"> | undefined;

  constructor(status: number, problem: Schema<"ProblemDocument"> | undefined, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }

  /** Whether the server was not there: it may come back. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

const door: Middleware = {
  onRequest({ request }) {
    const shown = token();
    if (shown) request.headers.set("authorization", `Bearer ${shown}`);
    return request;
  },
  async onResponse({ response }) {
    if (response.ok || response.status === 304) return response;
    throw await refusal(response);
  },
  onError({ error }) {
    return new ApiError(0, undefined, `The server cannot be reached: ${String(error)}`);
  },
};

/** What an answer that says no means. A token that is not taken any more is forgotten. */
export async function refusal(response: Response): Promise<ApiError> {
  if (response.status === 401) forgetToken();
  let problem: Schema<"ProblemDocument"> | undefined;
  try {
    problem = (await response.json()) as Schema<"ProblemDocument">;
  } catch {
    // Something between here and the server answered in its own words.
  }
  const message = problem?.detail ?? problem?.title ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, problem, message);
}

/** Calls of the API by their paths. Each either has `data` or throws an {@link ApiError}. */
export const api = createClient<paths>({ baseUrl: "/" });
api.use(door);

/** The data of a call; the client throws where there is none. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
