import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** What changes in an address's query; `undefined` takes something away. */
export type Changes = Record<string, string | string[] | undefined>;

/** What a page shows, kept in its address: the query, and how to change it. */
export function useAddress(): [URLSearchParams, (changes: Changes, keep?: boolean) => void] {
  const [params, setParams] = useSearchParams();
  const change = useCallback(
    (changes: Changes, keep = false) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            after.delete(name);
            for (const one of value === undefined ? [] : [value].flat()) after.append(name, one);
          }
          return after;
        },
        { replace: !keep },
      );
    },
    [setParams],
  );
  return [params, change];
}
