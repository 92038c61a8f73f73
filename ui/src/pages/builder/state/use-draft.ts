import { useCallback, useEffect, useRef, useState } from "react";
import type { Places } from "../canvas/places";
import { type Draft, dropDraft, keepDraft, readDraft } from "./draft";
import type { TextStore } from "./text-store";

const REST_MS = 400;

/** Keeps what is not saved, and offers what was kept before. */
export function useDraft(
  key: string,
  now: { store: TextStore; places: Places; dirty: boolean; opened: string },
) {
  const [draft, setDraft] = useState<Draft | undefined>(() => {
    const kept = readDraft(key);
    return kept && kept.text !== now.opened ? kept : undefined;
  });
  const latest = useRef({ key, ...now });
  latest.current = { key, ...now };
  const keep = useCallback(() => {
    const { key, store, places, dirty } = latest.current;
    if (dirty) keepDraft(key, { text: store.text(), places, at: Date.now() });
  }, []);
  const { store, places, dirty } = now;
  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of these is kept, after a rest
  useEffect(() => {
    let timer = setTimeout(keep, REST_MS);
    const end = store.listen(() => {
      clearTimeout(timer);
      timer = setTimeout(keep, REST_MS);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [store, places, dirty, keep]);
  useEffect(() => {
    window.addEventListener("pagehide", keep);
    return () => {
      window.removeEventListener("pagehide", keep);
      keep();
    };
  }, [keep]);
  return {
    draft,
    /** What was kept is what is worked on now. */
    take: () => setDraft(undefined),
    drop: () => {
      setDraft(undefined);
      dropDraft(latest.current.key);
    },
  };
}
