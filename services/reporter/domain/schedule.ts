import { chance } from "../../../lib/domain/chance.js";

/** A window's time, by a clock that nobody sets: tick k of n is due k intervals after its beginning, the last one maybe at its end. */
export interface Schedule {
  readonly intervalMs: number;
  readonly durationMs: number;
}

/** The contract's 1 to 5 minutes, in ticks of 10 s. */
export const TICKS = { min: 6, max: 30 };

export const expectedOf = ({ durationMs, intervalMs }: Schedule): number =>
  Math.floor(durationMs / intervalMs);

/** Which ticks are to be audited now. */
export interface Turn {
  /** Whose time passed while nobody was there. */
  readonly missed: readonly number[];
  /** Whose time it is; undefined: the last one's is over. */
  readonly now: number | undefined;
  /** All up to this one will have been. */
  readonly done: number;
}

/**
 * What is due when this much of a window has passed; undefined: nothing yet. A tick may be late until the next one is due, and never
 * are two made up for at once.
 *
 * @param done all ticks up to this one have been
 */
export function turnAt(elapsedMs: number, done: number, schedule: Schedule): Turn | undefined {
  const expected = expectedOf(schedule);
  const current = Math.floor(elapsedMs / schedule.intervalMs);
  if (current <= done || done >= expected) {
    return undefined;
  }
  const missedTo = Math.min(current - 1, expected);
  const missed = Array.from({ length: missedTo - done }, (_, i) => done + 1 + i);
  return { missed, now: current <= expected ? current : undefined, done: Math.min(current, expected) };
}

/** How often what goes wrong. */
export interface Rates {
  readonly seed: number;
  readonly errorRate: number;
  readonly omissionRate: number;
}

/** Of a window that was not told any: up to three of ten. */
const MOST = 0.3;

export const ratesOf = (seed: number): Rates => ({
  seed,
  errorRate: MOST * chance(seed, "error rate"),
  omissionRate: MOST * chance(seed, "omission rate"),
});

const ERRORS = ["timed out", "connection refused", "answered with 500", "out of memory"];

/** What a tick reports, and whether it does; the same for the same seed, whoever asks and whenever. */
export function tickOf(
  { seed, errorRate, omissionRate }: Rates,
  seq: number,
): { readonly status: string; readonly omitted: boolean } {
  const error = ERRORS[Math.floor(chance(seed, "which error", seq) * ERRORS.length)] as string;
  return {
    status: chance(seed, "error", seq) < errorRate ? `error: ${error}` : "ok",
    omitted: chance(seed, "omission", seq) < omissionRate,
  };
}
