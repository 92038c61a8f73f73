import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Throttle } from "../../../api/live";

/**
 * Asks again for what is kept under a key when the mark changes: at once for the first change, and
 * then once a second at most, however often it does.
 */
export function useAgain(key: QueryKey, mark: string): void {
  const client = useQueryClient();
  const throttle = useRef<Throttle>(undefined);
  throttle.current ??= new Throttle();
  throttle.current.act = () => void client.invalidateQueries({ queryKey: key });
  const last = useRef(mark);
  useEffect(() => {
    if (last.current === mark) return;
    last.current = mark;
    throttle.current?.poke();
  }, [mark]);
  useEffect(() => () => throttle.current?.cancel(), []);
}
