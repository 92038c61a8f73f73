import { useAddress } from "../../../kit/address";
import styles from "./panel.module.css";

/** A task's name that leads to it. */
export function TaskLink({ task, item }: { task: string; item?: number }) {
  const [, change] = useAddress();
  const go = () =>
    change({ task, attempt: undefined, item: item === undefined ? undefined : String(item) }, true);
  return (
    <button type="button" className={styles.link} onClick={go}>
      {task}
      {item !== undefined && `[${item}]`}
    </button>
  );
}
