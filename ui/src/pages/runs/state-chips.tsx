import { useAddress } from "../../kit/address";
import { StateIcon } from "../../kit/badge";
import { lookOf, toned } from "../../kit/tone";
import { type Filter, STATES } from "./filter";
import styles from "./runs.module.css";
import { useCounts } from "./use-runs";

/** How many runs are in each state; a chip chooses its state. */
export function StateChips({ filter }: { filter: Filter }) {
  const [params, change] = useAddress();
  const counts = useCounts(filter);
  const chosen = params.getAll("status");
  const toggle = (state: string) =>
    change({
      status: chosen.includes(state)
        ? chosen.filter((other) => other !== state)
        : [...chosen, state],
    });
  return (
    <fieldset className={styles.chips}>
      <legend className="visually-hidden">States</legend>
      <button
        type="button"
        className={styles.chip}
        aria-pressed={chosen.length === 0}
        onClick={() => change({ status: undefined })}
      >
        All <strong>{counts.data?.total.toLocaleString("en") ?? "–"}</strong>
      </button>
      {STATES.map((state) => (
        <button
          key={state}
          type="button"
          className={styles.chip}
          style={toned(lookOf(state).tone)}
          aria-pressed={chosen.includes(state)}
          onClick={() => toggle(state)}
        >
          <StateIcon state={state} size={15} still />
          <span aria-hidden>{lookOf(state).label}</span>
          <strong>{(counts.data?.by_state[state] ?? 0).toLocaleString("en")}</strong>
        </button>
      ))}
    </fieldset>
  );
}
