/** Calls that are under way at once: browsers have few connections to one server. */
const AT_ONCE = 4;

/** Does something for each, a few at a time; what failed. */
export async function inTurns<T>(
  all: readonly T[],
  act: (one: T) => Promise<unknown>,
): Promise<Error[]> {
  const failures: Error[] = [];
  const rest = all.values();
  const work = async () => {
    for (const one of rest) {
      try {
        await act(one);
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failures;
}
