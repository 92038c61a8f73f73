import { useState } from "react";

/** The least time that is shown, in milliseconds. */
const LEAST = 5;

/** The part of a time that is shown; all of it, as it grows, until somebody chooses. */
export function useWindow(whole: number) {
  const [chosen, setChosen] = useState<{ from: number; to: number }>();
  const { from, to } = chosen ?? { from: 0, to: whole };
  const choose = (start: number, span: number) => {
    const width = Math.max(LEAST, span);
    if (width >= whole) return setChosen(undefined);
    const begin = Math.min(Math.max(0, start), whole - width);
    setChosen({ from: begin, to: begin + width });
  };
  return {
    from,
    to,
    /** Shows so many times as much, around a place from 0 to 1. */
    zoom: (by: number, around = 0.5) => {
      const at = from + (to - from) * around;
      choose(at - (to - from) * by * around, (to - from) * by);
    },
    /** Moves by a part of what is shown. */
    pan: (by: number) => {
      if (chosen) choose(from + (to - from) * by, to - from);
    },
    whole: () => setChosen(undefined),
  };
}
