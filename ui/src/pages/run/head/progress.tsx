import { StateIcon } from "../../../kit/badge";
import { lookOf, toned } from "../../../kit/tone";
import { useWatched } from "../use-live";
import { counted } from "../words";
import styles from "./head.module.css";

/** States in the order in which a bar fills. */
const ORDER = [
  "succeeded",
  "resolved",
  "failed",
  "cancelled",
  "skipped",
  "running",
  "backing_off",
  "ready",
  "waiting",
];

/** How many tasks stand where, as a bar and in words. */
export function Progress() {
  const { live } = useWatched();
  const { counts } = live.model.head;
  const parts = ORDER.flatMap((state) => {
    const count = counts[state] ?? 0;
    return count > 0 ? [{ state, count, ...lookOf(state) }] : [];
  });
  const all = parts.reduce((sum, part) => sum + part.count, 0);
  if (all === 0) return null;
  return (
    <div className={styles.progress}>
      <div className={styles.bar} aria-hidden>
        {parts.map((part) => (
          <span
            key={part.state}
            style={{ ...toned(part.tone), width: `${(100 * part.count) / all}%` }}
          />
        ))}
      </div>
      <ul className={styles.counts} aria-label={counted(all, "task")}>
        {parts.map((part) => (
          <li key={part.state}>
            <StateIcon state={part.state} size={14} />
            <strong>{part.count.toLocaleString("en")}</strong>
            <span aria-hidden>{part.label.toLowerCase()}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
