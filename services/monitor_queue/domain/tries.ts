import { fullJitterMs } from "../../../lib/timing.js";

/** What an answer of the monitor means for a report. */
export type Verdict = "accepted" | "refused" | "failed";

/** Too slow, too many, or its own fault: it may be otherwise the next time. What else it refuses it will always refuse. */
export function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) {
    return "accepted";
  }
  return status === 408 || status === 429 || status >= 500 ? "failed" : "refused";
}

export interface Waits {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long until the next try. @param tries made so far; @param retryAfterS what the monitor asks for */
export function waitMs(
  tries: number,
  retryAfterS: number,
  { firstMs, longestMs }: Waits,
  random: () => number = Math.random,
): number {
  const own = fullJitterMs(tries - 1, { baseMs: firstMs, capMs: longestMs }, random);
  return Math.min(longestMs, Math.max(own, retryAfterS * 1_000));
}

/** With all waits of twelve tries below the time for which a report is held: released, it would begin with its first try again. */
const ASKED_MOST_MS = 300_000;

/** The waits of one report: it waits for longer than its own ones where the monitor asks for that, by five minutes in all. */
export class Patience {
  readonly #waits: Waits;
  readonly #random: (() => number) | undefined;
  #spareMs = ASKED_MOST_MS;

  constructor(waits: Waits, random?: () => number) {
    this.#waits = waits;
    this.#random = random;
  }

  /** @param tries made so far; @param retryAfterS what the monitor asks for */
  nextMs(tries: number, retryAfterS: number): number {
    const askedMs = Math.min(retryAfterS * 1_000, this.#spareMs);
    this.#spareMs -= askedMs;
    return waitMs(tries, askedMs / 1_000, this.#waits, this.#random);
  }
}
