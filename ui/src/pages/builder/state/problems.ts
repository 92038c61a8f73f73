/** What is wrong with the document, with its place in the text and on the canvas. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, data, type Schema } from "../../../api/client";
import type { Task, View } from "../document/view";

export interface Problem {
  severity: "error" | "warning";
  message: string;
  help: string | undefined;
  code: string | undefined;
  /** Its place in the text, lines and columns from 1. */
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  /** The task that it is about. */
  task: Task | undefined;
}

/** How long somebody who types has to rest before the server is asked. */
const REST_MS = 300;

export interface Checked {
  problems: Problem[];
  /** Whether the server has checked the text as it stands. */
  settled: boolean;
  valid: boolean;
}

export function useProblems(text: string, { tasks }: View): Checked {
  const asked = useRested(text, REST_MS);
  const answer = useQuery<Schema<"Validation">>({
    queryKey: ["workflows", "validate", asked],
    queryFn: () => data(api.POST("/api/v1/workflows/validate", { body: { source: asked } })),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
  const { data: checked, isPlaceholderData } = answer;
  const problems = useMemo(
    () => (checked?.diagnostics ?? []).map((found) => problemOf(found, tasks)),
    [checked, tasks],
  );
  return {
    problems,
    settled: checked !== undefined && !isPlaceholderData && asked === text,
    valid: checked?.valid ?? false,
  };
}

function problemOf(found: Schema<"DiagnosticInfo">, tasks: readonly Task[]): Problem {
  const line = found.line ?? 1;
  const column = found.column ?? 1;
  return {
    severity: found.severity === "warning" ? "warning" : "error",
    message: found.message,
    help: found.help ?? undefined,
    code: found.code,
    line,
    column,
    endLine: found.end_line ?? line,
    endColumn: found.end_column ?? column + 1,
    task: tasks.find(({ lines: [first, last] }) => first <= line && line <= last),
  };
}

function useRested<T>(value: T, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
