import { CircleX } from "lucide-react";
import { Scroll } from "../../../kit/scroll";
import { toned } from "../../../kit/tone";
import type { Failure } from "../model/state";
import { prettyValue } from "../values";
import styles from "./panel.module.css";

/** What went wrong, with the last that was written before. */
export function FailureCard({ failure }: { failure: Failure }) {
  return (
    <section className={styles.failure} style={toned("failed")} aria-label="The error">
      <p className={styles.failureHead}>
        <CircleX size={16} aria-hidden />
        <strong>{failure.message}</strong>
      </p>
      <p className={styles.failureFacts}>
        <code>{failure.code}</code> {failure.kind.replaceAll("_", " ")}
        {failure.retryable ? " · trying again may help" : " · trying again will not help"}
      </p>
      {failure.error !== undefined && failure.error !== null && (
        <pre className={styles.pre}>{prettyValue(failure.error)}</pre>
      )}
      {failure.tail && failure.tail.length > 0 && (
        <Scroll label="The last lines that it wrote" className={styles.pre}>
          <pre>{failure.tail.join("\n")}</pre>
        </Scroll>
      )}
    </section>
  );
}
