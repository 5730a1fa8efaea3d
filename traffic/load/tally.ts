import { createHistogram } from "node:perf_hooks";
import type { Outcome } from "./outcome.js";
import type { Ended } from "./sender.js";

/** Latencies in ms, of requests that took effect. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const HIGHEST_US = 600_000_000;

/** What became of the requests of a run. */
export class Tally {
  /** By request. */
  readonly outcomes: Outcome[];
  ended = 0;
  readonly #failures = new Map<string, number>();
  readonly #latency = createHistogram({ lowest: 1, highest: HIGHEST_US, figures: 3 });

  constructor(total: number) {
    this.outcomes = new Array<Outcome>(total).fill("unknown");
  }

  count(index: number, { outcome, failure, tookMs }: Ended): void {
    this.ended += 1;
    this.outcomes[index] = outcome;
    if (outcome === "created") {
      this.#latency.record(Math.min(HIGHEST_US, Math.max(1, Math.round(tookMs * 1_000))));
    }
    if (failure !== undefined) {
      this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
    }
  }

  /** By what was answered, or why there was no answer; most frequent first. */
  get failures(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#failures].sort(([, a], [, b]) => b - a));
  }

  get latencyMs(): Latency {
    const ms = (us: number) => Math.round(us / 10) / 100;
    const at = (percent: number) => ms(this.#latency.percentile(percent));
    return { p50: at(50), p95: at(95), p99: at(99), max: ms(this.#latency.max) };
  }
}

/** How many there are of each outcome. */
export function countsOf(outcomes: readonly Outcome[]): Readonly<Record<Outcome, number>> {
  const counts = { created: 0, refused: 0, unknown: 0 };
  for (const outcome of outcomes) {
    counts[outcome] += 1;
  }
  return counts;
}
