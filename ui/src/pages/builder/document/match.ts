/** Which items of a list, as it was, are still there in the list as it shall be. */

import { isMapValue, type Json, same } from "./json";

/** For each wanted item the place that it had, or -1 if it is new. */
export function matchItems(was: readonly Json[], wanted: readonly Json[]): number[] {
  const places = wanted.map(() => -1);
  const taken = new Set<number>();
  const claim = (fits: (old: Json, item: Json) => boolean) => {
    wanted.forEach((item, at) => {
      if (places[at] !== -1) return;
      // Where several fit, the one that stands at the same place or behind goes first: lists seldom move.
      const place = find(was, at, (old, from) => !taken.has(from) && fits(old, item));
      if (place < 0) return;
      places[at] = place;
      taken.add(place);
    });
  };
  claim((old, item) => old === item && typeof item === "object");
  claim(same);
  claim((old, item) => nameOf(old) !== undefined && nameOf(old) === nameOf(item));
  pairUp(was, wanted, places, taken);
  return places;
}

function find(
  was: readonly Json[],
  at: number,
  fits: (old: Json, from: number) => boolean,
): number {
  for (let from = at; from < was.length; from += 1) if (fits(was[from] as Json, from)) return from;
  for (let from = Math.min(at, was.length) - 1; from >= 0; from -= 1) {
    if (fits(was[from] as Json, from)) return from;
  }
  return -1;
}

/** What has changed at its place, between the same neighbours, is the same item with another value. */
function pairUp(
  was: readonly Json[],
  wanted: readonly Json[],
  places: number[],
  taken: Set<number>,
) {
  if (was.length !== wanted.length) return;
  wanted.forEach((item, at) => {
    if (places[at] !== -1 || taken.has(at)) return;
    if (isMapValue(item) !== isMapValue(was[at])) return;
    places[at] = at;
    taken.add(at);
  });
}

function nameOf(value: Json): Json | undefined {
  return isMapValue(value) ? value.name : undefined;
}
