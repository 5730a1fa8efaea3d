import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks until the answer is there (neither undefined nor false), and returns it. For what can be seen but not awaited; a
 * fixed sleep instead is either too short on a slow machine or too long on all others.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 15_000, everyMs = 25 } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${what}`);
    }
    await sleep(everyMs);
  }
}
