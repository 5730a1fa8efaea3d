const MINUTE_S = 60;
const HOUR_S = 3_600;
/** What Standard Webhooks proposes: after the first attempt nine more, in 75 hours. */
const RETRIES_S = [
  5,
  5 * MINUTE_S,
  30 * MINUTE_S,
  2 * HOUR_S,
  5 * HOUR_S,
  10 * HOUR_S,
  14 * HOUR_S,
  20 * HOUR_S,
  24 * HOUR_S,
];
/** Of each wait, added by chance: what failed together does not come back together. */
const JITTER = 0.2;
/** However long a receiver asks to be left alone; longer waits are the schedule's. */
const RETRY_AFTER_MOST_S = HOUR_S;

/**
 * Seconds until the next attempt, or undefined when the last one is made.
 *
 * @param attempts made so far, all in vain
 * @param retryAfterS what the receiver asks for
 */
export function retryInS(
  attempts: number,
  retryAfterS = 0,
  random: () => number = Math.random,
): number | undefined {
  const waitS = RETRIES_S[attempts - 1];
  return waitS === undefined ? undefined : Math.max(waitS * (1 + JITTER * random()), retryAfterS);
}

/** Seconds that the header Retry-After asks for, as a number or a date; an hour at most, 0 for what is neither. */
export function retryAfterS(header: string | undefined, now = new Date()): number {
  const value = header?.trim() ?? "";
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now.getTime()) / 1_000;
  return Number.isNaN(seconds) ? 0 : Math.min(Math.max(seconds, 0), RETRY_AFTER_MOST_S);
}
