/** A trigger as it stands in the form, and as the API takes it. */

import { api, type Schema } from "../../api/client";
import { type Secret, secretsOf, variablesOf, withSecrets } from "../../api/secrets";
import { readObject } from "../../api/values";
import { shown } from "../../api/version";

export type Trigger = Schema<"TriggerView">;
export type TriggerSpec = Schema<"TriggerSpec">;
type Request = Extract<TriggerSpec, { kind: "request" }>;
type File = Extract<TriggerSpec, { kind: "file" }>;

/** A variable that is taken from what comes in. */
export interface Row {
  name: string;
  from: "body" | "header" | Schema<"FileFact">;
  /** The pointer or the header. */
  where: string;
  optional: boolean;
}

export interface Draft {
  name: string;
  kind: TriggerSpec["kind"];
  description: string;
  namespace: string;
  workflow: string;
  variables: string;
  /** Variables that it has and that nobody can read: they are given again, or left out. */
  secrets: readonly Secret[];
  proof: Schema<"Proof">["kind"];
  header: string;
  secret: string;
  delivery: string;
  file: string;
  quiet: string;
  catchUp: Schema<"FileCatchUp">;
  rows: Row[];
}

export const HEADERS = { token: "Authorization", hmac: "X-Hub-Signature-256" } as const;

/** A trigger as it is now. */
export function readTrigger(name: string) {
  return shown<Trigger>(api.GET("/api/v1/triggers/{name}", { params: { path: { name } } }));
}

/** What was asked for, without where it stands. */
export function askedOf(it: Trigger): object {
  const { changed_at, changed_by, name, namespace, path, paused, state, ...asked } = it;
  return asked;
}

/** A new one. */
export function newDraft(secret: string): Draft {
  return {
    name: "",
    kind: "request",
    description: "",
    namespace: "default",
    workflow: "",
    variables: "",
    secrets: [],
    proof: "hmac",
    header: HEADERS.hmac,
    secret,
    delivery: "",
    file: "",
    quiet: "1000",
    catchUp: "all",
    rows: [],
  };
}

/** One to be changed. */
export function draftOf(it: Trigger): Draft {
  const draft = {
    ...newDraft(""),
    name: it.name,
    kind: it.kind,
    description: it.description ?? "",
    namespace: it.namespace,
    workflow: it.run.workflow,
    variables: variablesOf(it.run.variables),
    secrets: secretsOf(it.run.variables),
  };
  if (it.kind === "file") {
    const rows = Object.entries(it.variables ?? {}).map(
      ([name, from]): Row => ({ name, from, where: "", optional: false }),
    );
    const quiet = String(it.quiet_ms ?? 1000);
    return { ...draft, file: it.file, quiet, catchUp: it.catch_up ?? "all", rows };
  }
  return {
    ...draft,
    proof: it.proof.kind,
    header: it.proof.header ?? HEADERS[it.proof.kind],
    delivery: it.delivery_header ?? "",
    rows: Object.entries(it.variables ?? {}).map(([name, taken]) => ({
      name,
      from: taken.from,
      where: taken.from === "body" ? taken.pointer : taken.name,
      optional: taken.optional ?? false,
    })),
  };
}

/** What to send; what the form does not show stays as it was. Or what is wrong with the variables. */
export function specOf(draft: Draft, before?: Trigger): { spec: TriggerSpec } | { wrong: string } {
  const variables = withSecrets(readObject(draft.variables), draft.secrets);
  if ("wrong" in variables) return variables;
  const run = {
    ...before?.run,
    namespace: draft.namespace,
    workflow: draft.workflow,
    variables: variables.value,
  };
  const common = { description: draft.description, run };
  if (draft.kind === "file") {
    const most = before?.kind === "file" ? before.at_once : undefined;
    const spec: File = {
      ...common,
      kind: "file",
      file: draft.file.trim(),
      quiet_ms: Number(draft.quiet),
      catch_up: draft.catchUp,
      ...(most !== undefined && { at_once: most }),
    };
    if (draft.rows.length > 0) spec.variables = factsOf(draft.rows);
    return { spec };
  }
  const spec: Request = {
    ...common,
    kind: "request",
    proof: proofOf(draft, before),
    ...(draft.delivery.trim() && { delivery_header: draft.delivery.trim() }),
    variables: takenOf(draft.rows),
  };
  return { spec };
}

/** The same trigger with another secret. */
export function rotated(it: Trigger & { kind: "request" }, secret: string): TriggerSpec {
  const { description, run, variables, delivery_header } = it;
  return {
    kind: "request",
    run,
    proof: { ...it.proof, secret },
    ...(description !== undefined && { description }),
    ...(variables !== undefined && { variables }),
    ...(delivery_header !== undefined && { delivery_header }),
  };
}

/** Whether some value can be read by nobody any more: it would be lost if it were sent back. */
export function hides({ run }: Trigger): boolean {
  return secretsOf(run.variables).length > 0;
}

function proofOf(draft: Draft, before?: Trigger): Schema<"Proof"> {
  const header = draft.header.trim() || HEADERS[draft.proof];
  const proof = { header, secret: draft.secret };
  const old = before?.kind === "request" ? before.proof : undefined;
  if (draft.proof === "token") return { kind: "token", ...proof };
  if (old?.kind !== "hmac") return { kind: "hmac", ...proof };
  return { ...old, kind: "hmac", ...proof };
}

function takenOf(rows: readonly Row[]): NonNullable<Request["variables"]> {
  const taken: NonNullable<Request["variables"]> = {};
  for (const { name, from, where, optional } of rows) {
    if (from === "body") taken[name] = { from, pointer: where, optional };
    if (from === "header") taken[name] = { from, name: where, optional };
  }
  return taken;
}

function factsOf(rows: readonly Row[]): NonNullable<File["variables"]> {
  const facts: NonNullable<File["variables"]> = {};
  for (const { name, from } of rows) {
    if (from !== "body" && from !== "header") facts[name] = from;
  }
  return facts;
}
