/** Changes of a text by places: what is between them stays as it is, to the last character. */

export interface Cut {
  from: number;
  to: number;
  insert: string;
}

/** The text of a range with the cuts that lie in it. Of several at one place, the first comes first. */
export function cutRange(text: string, cuts: readonly Cut[], from = 0, to = text.length): string {
  let out = "";
  let at = from;
  for (const cut of cuts.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (cut.from < at) throw new RangeError("two changes overlap");
    out += text.slice(at, cut.from) + cut.insert;
    at = cut.to;
  }
  return out + text.slice(at, to);
}

/** The one range in which two texts differ. */
export function difference(before: string, after: string): Cut | undefined {
  if (before === after) return undefined;
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < most - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail += 1;
  }
  return {
    from: head,
    to: before.length - tail,
    insert: after.slice(head, after.length - tail),
  };
}
