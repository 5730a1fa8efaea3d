import { KINDS } from "../../lib/domain/codes.js";
import type { FraudDifficulty } from "../spec.js";
import type { Prng } from "../world/prng.js";
import { DISGUISES, DisguisedFraud } from "./disguised_fraud.js";
import { FRAUD_PATTERNS, type FraudScheme } from "./fraud_patterns.js";
import { OpenFraud } from "./open_fraud.js";
import type { RowBuffer } from "./row_buffer.js";

const MEAN_LENGTH =
  FRAUD_PATTERNS.reduce((sum, pattern) => sum + (pattern.from + pattern.to) / 2, 0) / FRAUD_PATTERNS.length;
const PURCHASE = KINDS.indexOf("purchase");

export interface FraudOptions {
  /** Share of all rows. */
  readonly rate: number;
  readonly difficulty: FraudDifficulty;
  /** Of the chunk. */
  readonly rows: number;
  readonly rng: Prng;
}

/**
 * Turns legitimate rows into parts of fraud episodes: one episode at a time, its rows mixed among legitimate ones, so that a
 * pattern is not a solid block.
 */
export class FraudEpisodes {
  readonly #rng: Prng;
  readonly #scheme: FraudScheme;
  /** Chance that the next row begins an episode when none is under way. */
  readonly #startChance: number;
  /** Share of rows that belong to the episode under way. */
  readonly #density: number;
  #pattern = -1;
  #left = 0;

  constructor({ rate, difficulty, rows, rng }: FraudOptions) {
    this.#rng = rng;
    this.#scheme =
      difficulty === "easy" ? new OpenFraud(rng) : new DisguisedFraud(DISGUISES[difficulty], rows, rng);
    this.#density = Math.max(this.#scheme.density, rate);
    // An episode takes length / density rows, less what its first row does not wait; the gap that makes the whole come out
    // at `rate` is what is left.
    const gap =
      rate === 0
        ? Number.POSITIVE_INFINITY
        : MEAN_LENGTH * (1 / rate - 1 / this.#density) + 1 / this.#density - 1;
    this.#startChance = 1 / (1 + gap);
  }

  /** @returns the index in FRAUD_PATTERNS of the pattern the row now belongs to, or -1. */
  apply(row: RowBuffer): number {
    if (this.#left === 0) {
      if (this.#startChance === 0 || this.#rng.unit() >= this.#startChance) {
        return -1;
      }
      this.#begin(row);
    } else if (this.#rng.unit() >= this.#density) {
      return -1;
    }
    this.#left--;
    row.fraud = 1;
    row.kind = PURCHASE;
    row.originalId = 0;
    this.#scheme.apply(row, this.#left);
    return this.#pattern;
  }

  #begin(row: RowBuffer): void {
    this.#pattern = this.#rng.below(FRAUD_PATTERNS.length);
    const { from, to } = FRAUD_PATTERNS[this.#pattern] ?? { from: 1, to: 1 };
    this.#left = from + this.#rng.below(to - from + 1);
    this.#scheme.start(this.#pattern, row);
  }
}
