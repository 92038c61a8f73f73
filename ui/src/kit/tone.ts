/** One colour and one shape for each state, the same on all pages. */

import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CirclePause,
  CircleSlash,
  CircleX,
  Clock,
  Hourglass,
  type LucideIcon,
  RotateCcw,
  UserCheck,
} from "lucide-react";
import type { CSSProperties } from "react";

/** Families of colour. */
export type Tone = "succeeded" | "failed" | "running" | "waiting" | "paused" | "skipped";

interface Look {
  tone: Tone;
  icon: LucideIcon;
  label: string;
}

/** How states of runs, tasks and attempts look, by the API's words. */
const LOOKS: Record<string, Look> = {
  queued: { tone: "waiting", icon: Hourglass, label: "Queued" },
  waiting: { tone: "waiting", icon: CircleDashed, label: "Waiting" },
  ready: { tone: "waiting", icon: Clock, label: "Ready" },
  running: { tone: "running", icon: CircleDot, label: "Running" },
  backing_off: { tone: "paused", icon: RotateCcw, label: "Retrying soon" },
  paused: { tone: "paused", icon: CirclePause, label: "Paused" },
  succeeded: { tone: "succeeded", icon: CircleCheck, label: "Succeeded" },
  resolved: { tone: "succeeded", icon: UserCheck, label: "Resolved by hand" },
  failed: { tone: "failed", icon: CircleX, label: "Failed" },
  timed_out: { tone: "failed", icon: Clock, label: "Timed out" },
  skipped: { tone: "skipped", icon: CircleSlash, label: "Skipped" },
  cancelled: { tone: "skipped", icon: Ban, label: "Cancelled" },
};

/** How a state looks; one that is not known says its own name. */
export function lookOf(state: string): Look {
  return LOOKS[state] ?? { tone: "waiting", icon: CircleAlert, label: state.replaceAll("_", " ") };
}

/** Sets `--tone` and `--tone-soft` for what is inside. */
export function toned(tone: Tone): CSSProperties {
  return { "--tone": `var(--${tone})`, "--tone-soft": `var(--${tone}-soft)` } as CSSProperties;
}
