import type { AttemptState, TaskState } from "../model/state";

/** The attempt that the address names, or the last one. */
export function chosenAttempt(task: TaskState, params: URLSearchParams): AttemptState | undefined {
  const attempt = params.get("attempt");
  const item = params.get("item");
  const named = task.attempts.findLast(
    (other) =>
      (attempt === null || other.attempt === Number(attempt)) &&
      (item === null ? attempt === null || other.item === undefined : other.item === Number(item)),
  );
  return named ?? task.attempts.at(-1);
}
