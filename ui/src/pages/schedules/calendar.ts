/** Ticks to come, by day. */

/** What is foretold of one schedule. */
export interface Foretold {
  name: string;
  /** Soonest first. */
  at: readonly number[];
  /** Whether it goes on behind the last of them. */
  goesOn: boolean;
}

/** What one schedule does on one day. */
export interface DayEntry {
  name: string;
  /** Its first tick; none where only is known that it goes on. */
  first: number | undefined;
  count: number;
  /** Whether there are more than are counted. */
  goesOn: boolean;
}

export interface Day {
  /** Its midnight. */
  at: number;
  entries: DayEntry[];
}

/** So many days from the one of `now`, with the ticks of each, by their first. */
export function daysOf(schedules: readonly Foretold[], now: number, days: number): Day[] {
  return Array.from({ length: days }, (_, offset) => {
    const at = midnight(now, offset);
    const until = midnight(now, offset + 1);
    const entries = schedules.flatMap((schedule) => entryOf(schedule, at, until));
    entries.sort((a, b) => (a.first ?? until) - (b.first ?? until) || a.name.localeCompare(b.name));
    return { at, entries };
  });
}

function entryOf({ name, at, goesOn }: Foretold, from: number, until: number): DayEntry[] {
  const ticks = at.filter((tick) => tick >= from && tick < until);
  const last = at.at(-1);
  const more = goesOn && last !== undefined && last < until;
  if (ticks.length === 0 && !more) return [];
  return [{ name, first: ticks[0], count: ticks.length, goesOn: more }];
}

/** The midnight so many days on; days have 23 or 25 hours twice a year. */
function midnight(now: number, offset: number): number {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() + offset);
  return day.getTime();
}
