import styles from "./kit.module.css";
import { lookOf, toned } from "./tone";

/** A state in its colour, with its shape and its word. */
export function StateBadge({ state }: { state: string }) {
  const { tone, icon: Icon, label } = lookOf(state);
  return (
    <span className={styles.badge} style={toned(tone)}>
      <Icon size={14} aria-hidden className={state === "running" ? styles.pulse : undefined} />
      {label}
    </span>
  );
}

interface StateIconProps {
  state: string;
  size?: number;
  /** It tells of something past: nothing moves. */
  still?: boolean;
}

/** A state's shape in its colour; its word is read out. */
export function StateIcon({ state, size = 16, still }: StateIconProps) {
  const { tone, icon: Icon, label } = lookOf(state);
  const moves = state === "running" && !still;
  const names = [styles.tone, moves && styles.pulse].filter(Boolean).join(" ");
  return <Icon size={size} role="img" aria-label={label} className={names} style={toned(tone)} />;
}
