import { useEffect, useState } from "react";

/** `1.2 s`, `3 min 5 s`, `2 h 4 min`; `10 min` if it is exactly that, as settings are. */
export function duration(ms: number): string {
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60 && ms % 60_000 === 0) return `${minutes} min`;
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48 && ms % 3_600_000 === 0) return `${hours} h`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  if (ms % 86_400_000 === 0) return `${hours / 24} d`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** `3 minutes ago`, `in 2 hours`. */
export function ago(at: number, now: number): string {
  const [unit, size] = units.find(([, size]) => Math.abs(at - now) >= size) ?? ["second", 1000];
  return relative.format(Math.trunc((at - now) / size), unit);
}

/** A time as it is said from now, with the whole of it as a tip. */
export function When({ at }: { at: string }) {
  // What was just told may be newer than the last look at the clock.
  const now = Math.max(useNow(10_000), Date.now());
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={`${whole.format(time)} (${at})`}>
      {ago(time, Math.max(now, time > now + 1000 ? now : time))}
    </time>
  );
}

/** The time, anew every so many milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
