/** What is wrong with the document, with its place in the text and on the canvas. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, data, type Schema } from "../../../api/client";
import type { Task, View } from "../document/view";
import { type TextStore, useOfText } from "./text-store";

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
}

export function useProblems(store: TextStore, { tasks }: View): Checked {
  const asked = useRested(store, REST_MS);
  const isLast = useOfText(store, ({ text }) => text === asked.text);
  const answer = useQuery<Schema<"Validation">>({
    // The text itself would be gone through at each drawing of the page.
    queryKey: ["workflows", "validate", asked.turn],
    queryFn: () => data(api.POST("/api/v1/workflows/validate", { body: { source: asked.text } })),
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
    settled: checked !== undefined && !isPlaceholderData && isLast,
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

/** A text that the server is asked about. */
interface Asked {
  text: string;
  /** Counts the texts of all that is opened. */
  turn: number;
}

let turns = 0;

function asking(text: string): Asked {
  turns += 1;
  return { text, turn: turns };
}

/** The text as it was when nothing had been written for a while. */
function useRested(store: TextStore, ms: number): Asked {
  const [rested, setRested] = useState(() => asking(store.text()));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const end = store.listen(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const text = store.text();
        setRested((before) => (before.text === text ? before : asking(text)));
      }, ms);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [store, ms]);
  return rested;
}
