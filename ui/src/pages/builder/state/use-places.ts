/** Where tasks stand: kept while the document changes, laid out anew where too little is known. */

import { useCallback, useEffect, useRef, useState } from "react";
import { type Places, placed, wantsLayout } from "../canvas/places";
import type { Task, View } from "../document/view";

interface State {
  tasks: readonly Task[];
  places: Places;
  /** Counts how often a layout was wanted. */
  wanted: number;
}

export function usePlaces(view: View, initial: Places) {
  const [state, setState] = useState<State>({ tasks: [], places: initial, wanted: 0 });
  const [laidOut, setLaidOut] = useState(0);
  const [layouts, setLayouts] = useState(0);
  if (state.tasks !== view.tasks) {
    const wants = wantsLayout(view.tasks, state.places);
    const isFirst = state.tasks.length === 0 && !view.tasks.some(({ id }) => state.places[id]);
    if (isFirst && !wants) setLaidOut(laidOut + 1);
    setState({
      tasks: view.tasks,
      places: placed(view.tasks, view.drawn, state.places, state.tasks),
      wanted: state.wanted + (wants ? 1 : 0),
    });
  }
  const latest = useRef(view);
  latest.current = view;
  const tidy = useCallback(async () => {
    const { tasks, drawn } = latest.current;
    setLayouts((count) => count + 1);
    try {
      const { laidOut } = await import("../canvas/layout");
      const places = await laidOut(tasks, drawn);
      setState((before) => ({ ...before, places: { ...before.places, ...places } }));
      setLaidOut((count) => count + 1);
    } finally {
      setLayouts((count) => count - 1);
    }
  }, []);
  const { wanted } = state;
  useEffect(() => {
    if (wanted > 0) void tidy();
  }, [wanted, tidy]);
  const setPlaces = useCallback(
    (places: Places) =>
      setState((before) => ({ ...before, places: { ...before.places, ...places } })),
    [],
  );
  return { places: state.places, setPlaces, tidy, laidOut, layingOut: layouts > 0 };
}
