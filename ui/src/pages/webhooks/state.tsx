import { Tag } from "../../kit/facts";
import { When } from "../../kit/time";
import type { Tone } from "../../kit/tone";
import { commitOf, type State, stateOf, type Webhook } from "./spec";
import { useMoment } from "./use-webhooks";

const LOOKS: Record<State, [label: string, tone: Tone]> = {
  delivering: ["Delivering", "succeeded"],
  failing: ["Trying again", "failed"],
  paused: ["Paused", "paused"],
};

/** How it stands, in a word. */
export function StateTag({ of }: { of: Webhook }) {
  const [label, tone] = LOOKS[stateOf(of)];
  return <Tag tone={tone}>{label}</Tag>;
}

/** Why it does not deliver; nothing while it does. */
export function Trouble({ of: { paused, failing } }: { of: Webhook }) {
  if (paused) {
    return (
      <>
        Paused by {paused.by} <When at={paused.at} />
        {paused.reason && `: ${paused.reason}`}
      </>
    );
  }
  if (!failing) return null;
  return (
    <>
      {failing.error}: {failing.attempts === 1 ? "tried once" : `tried ${failing.attempts} times`},
      again <When at={failing.next_at} />
    </>
  );
}

/** The time up to which it was told of everything. */
export function UpTo({ of: { cursor } }: { of: Webhook }) {
  const moment = useMoment(cursor);
  if (commitOf(cursor) === 0) return "nothing yet";
  if (moment.data) {
    return (
      <span title={`Up to the event ${cursor}`}>
        <When at={moment.data} />
      </span>
    );
  }
  return <code>{cursor}</code>;
}
