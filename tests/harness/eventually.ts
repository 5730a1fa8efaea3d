import { setTimeout as sleep } from "node:timers/promises";

/** Between two asks. A tenth of what was waited so far comes late by as much, and no more than half of a wait is spent on asking. */
const PAUSE_MS = { least: 25, most: 500 };

/**
 * Asks until the answer is there (neither undefined nor false), and returns it. For what can be seen but not awaited; a
 * fixed sleep instead is either too short on a slow machine or too long on all others.
 *
 * @param options.everyMs how long to pause between two asks; by default the longer the longer it takes: an ask may be a new connection
 *   or a command, and many wait at one time
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 30_000, everyMs }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const since = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    const now = performance.now();
    if (now > since + withinMs) {
      throw new Error(`not within ${withinMs} ms: ${what}`);
    }
    const pauseMs = Math.max(PAUSE_MS.least, now - askedAt, (now - since) / 10);
    await sleep(everyMs ?? Math.min(PAUSE_MS.most, pauseMs));
  }
}
