import { useQueries } from "@tanstack/react-query";
import { api, data } from "../../api/client";
import { CardHead } from "../../kit/facts";
import { Card } from "../../kit/page";
import { useNow } from "../../kit/time";
import { type DayEntry, daysOf, type Foretold } from "./calendar";
import styles from "./schedules.module.css";
import type { Schedule } from "./spec";

const DAYS = 14;
/** The most that the server foretells at once. */
const TICKS = 100;
/** The most schedules of a calendar that can still be read. */
const SCHEDULES_MAX = 50;
const MINUTE = 60_000;

const dayName = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** What the schedules do in the days to come. */
export function Upcoming({ of }: { of: readonly Schedule[] }) {
  const now = useNow(MINUTE);
  const active = of.filter((it) => !it.paused && it.next_at).slice(0, SCHEDULES_MAX);
  const foretold = useQueries({
    queries: active.map(({ name, changed_at }) => ({
      queryKey: ["schedules", "next", name, changed_at],
      queryFn: () =>
        data(
          api.GET("/api/v1/schedules/{name}/next", {
            params: { path: { name }, query: { count: TICKS } },
          }),
        ),
      staleTime: 5 * MINUTE,
    })),
    combine: (results) =>
      results.flatMap(({ data: next }, at): Foretold[] => {
        const name = active[at]?.name;
        if (!next || name === undefined) return [];
        const ticks = next.items.map((tick) => Date.parse(tick.at));
        return [{ name, at: ticks, goesOn: ticks.length === TICKS }];
      }),
  });
  if (active.length === 0) return null;
  const days = daysOf(foretold, now, DAYS);
  return (
    <Card>
      <CardHead title="The next two weeks" />
      <div className={styles.calendar}>
        {days.map(({ at, entries }, index) => (
          <section
            key={at}
            className={[
              styles.day,
              index === 0 && styles.today,
              entries.length === 0 && styles.empty,
            ]
              .filter(Boolean)
              .join(" ")}
          >
            <h3>{index === 0 ? "Today" : dayName.format(at)}</h3>
            <ul>
              {entries.map((entry) => (
                <Entry key={entry.name} of={entry} />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Card>
  );
}

function Entry({ of: { name, first, count, goesOn } }: { of: DayEntry }) {
  return (
    <li className={styles.tick} title={name}>
      {first !== undefined && <time>{clock.format(first)}</time>}
      <b>{name}</b>
      {(count > 1 || goesOn) && <small>{goesOn ? "and on" : `× ${count}`}</small>}
    </li>
  );
}
