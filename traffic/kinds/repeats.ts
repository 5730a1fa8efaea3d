import { Prng } from "../../etl/world/prng.js";
import type { Outcome } from "../load/outcome.js";
import type { TrafficSpec } from "../spec.js";

/** Tells the draws of the order from those of the events. */
const STREAM = 0x7265_7065;

/**
 * Which event each request of a run tells: a share of them one that another request tells too, and each so far from its place as the
 * disorder says. 0: in order, and a repetition right after the first; 1: anywhere in the run.
 */
export function disorder(
  { seed, duplicateShare, disorderShare }: Pick<TrafficSpec, "seed" | "duplicateShare" | "disorderShare">,
  requests: number,
): Uint32Array {
  const rng = new Prng(seed, STREAM);
  // One is there at least to be repeated.
  const events = Math.max(1, Math.round(requests * (1 - duplicateShare)));
  const told = Array.from({ length: requests }, (_, i) => (i < events ? i : rng.below(events)));
  const moved = told.map((n, i) => ({ n, i, at: n + disorderShare * events * (rng.unit() - 0.5) * 2 }));
  moved.sort((a, b) => a.at - b.at || a.i - b.i);
  return Uint32Array.from(moved, ({ n }) => n);
}

/** What is known of an event that was told by several requests. */
export interface Told {
  readonly n: number;
  /** How often. */
  readonly told: number;
  readonly answer: Outcome;
}

/** It is there if one request says so, and may be there if one says nothing. @param outcomes of the requests that were sent */
export function answerOf(order: Uint32Array, outcomes: readonly Outcome[]): readonly Told[] {
  const all = new Map<number, Told>();
  for (const [request, outcome] of outcomes.entries()) {
    const n = order[request] ?? 0;
    const before = all.get(n) ?? { n, told: 0, answer: "refused" as const };
    all.set(n, { n, told: before.told + 1, answer: surer(before.answer, outcome) });
  }
  return [...all.values()];
}

const SURE: Readonly<Record<Outcome, number>> = { refused: 0, unknown: 1, created: 2 };
const surer = (a: Outcome, b: Outcome): Outcome => (SURE[a] > SURE[b] ? a : b);
