import { FRAUD_DIFFICULTIES, type Spec } from "../../../etl/spec.js";
import { Dice } from "../schedule.js";

/** What the workers are given to do while the faults go on: a pure function of the seed, as the faults are. */
export interface Load {
  readonly runs: readonly PlannedRun[];
  readonly poison: readonly Poison[];
}

/** Runs are entered in this order before the faults begin, so that ids are the oracle's; their first message is sent at `atMs`. */
export interface PlannedRun {
  readonly atMs: number;
  readonly spec: Spec;
  readonly windowChunks: number;
}

/** A message that must end in the dead-letter queue; no two have the same body. */
export interface Poison {
  readonly atMs: number;
  readonly body: string;
}

const RUNS_PER_MIN = 6;
const POISON_PER_MIN = 3;
/** The first runs start together, the others along the way until this share of the time. */
const RUNS_AT_ONCE = 3;
const LAST_START = 0.9;

export function loadOf(options: { seed: number; durationMs: number; rows: number }): Load {
  const { seed, durationMs, rows } = options;
  const minutes = durationMs / 60_000;
  const dice = new Dice(seed, "load");
  const count = Math.max(RUNS_AT_ONCE, Math.round(minutes * RUNS_PER_MIN));
  const weights = Array.from({ length: count }, () => dice.between(50, 150));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const starts = weights.map((_, i) =>
    i < RUNS_AT_ONCE ? 0 : dice.between(0, Math.round(durationMs * LAST_START)),
  );
  const runs = weights.map((weight, i) => ({
    atMs: starts[i] ?? 0,
    windowChunks: dice.between(3, 8),
    spec: specOf(dice, Math.round((rows * weight) / total)),
  }));
  const poison = Array.from({ length: Math.ceil(minutes * POISON_PER_MIN) }, (_, i) => ({
    atMs: dice.between(0, durationMs),
    body: dice.pick([
      `poison ${i}`,
      `{"v":1,"step":"explode","run":"r1","poison":${i}}`,
      `{"v":1,"step":"stage","run":"r9${String(i).padStart(7, "0")}"}`,
      `{"v":1,"step":"clean","run":"r1","chunk":${1_000_000 + i}}`,
    ]),
  }));
  return { runs, poison };
}

/** Windows of one to three months out of eight: most months are built by several runs. Small chunks: many transactions. */
function specOf(dice: Dice, rows: number): Spec {
  const first = dice.between(1, 6);
  const months = dice.between(1, 3);
  const seed = dice.between(0, 1_000_000);
  return {
    rows,
    seed,
    fromOn: monthStart(first),
    toOn: monthStart(first + months),
    dirtRate: dice.between(0, 50) / 1_000,
    fraudRate: dice.between(0, 10) / 1_000,
    fraudDifficulty: FRAUD_DIFFICULTIES[seed % FRAUD_DIFFICULTIES.length] ?? "medium",
    chunkRows: dice.between(500, 4_000),
  };
}

function monthStart(month: number): string {
  return `2025-${String(month).padStart(2, "0")}-01`;
}
