import { describe, expect, it } from "vitest";
import { FRAUD_DIFFICULTIES, type FraudDifficulty } from "../spec.js";
import { Prng } from "../world/prng.js";
import { FraudEpisodes } from "./fraud.js";
import { FRAUD_PATTERNS } from "./fraud_patterns.js";
import { RowBuffer } from "./row_buffer.js";

/** Patterns of many rows in a row; legitimate rows are all alike, as only fraud is looked at. */
function patternsAt(rate: number, rows: number, difficulty: FraudDifficulty): number[] {
  const episodes = new FraudEpisodes({ rate, difficulty, rows, rng: new Prng(7) });
  const row = new RowBuffer();
  return Array.from({ length: rows }, () => {
    row.account = 1;
    row.merchant = 1;
    row.terminal = 1;
    return episodes.apply(row);
  });
}

describe.each(FRAUD_DIFFICULTIES)("fraud that is %s to find", (difficulty) => {
  it.each([
    { rate: 0, rows: 100_000, within: 0 },
    { rate: 0.002, rows: 1_000_000, within: 0.2 },
    { rate: 0.1, rows: 500_000, within: 0.05 },
    { rate: 0.5, rows: 200_000, within: 0.02 },
    { rate: 0.9, rows: 200_000, within: 0.02 },
    { rate: 1, rows: 100_000, within: 0 },
  ])("comes out at the rate asked for: $rate", ({ rate, rows, within }) => {
    const share = patternsAt(rate, rows, difficulty).filter((pattern) => pattern >= 0).length / rows;
    expect(share).toBeGreaterThanOrEqual(rate * (1 - within));
    expect(share).toBeLessThanOrEqual(rate * (1 + within));
  });

  it("has episodes of every pattern, as long as the pattern says", () => {
    const patterns = patternsAt(0.01, 200_000, difficulty);
    for (const [index, { from, to }] of FRAUD_PATTERNS.entries()) {
      const count = patterns.filter((pattern) => pattern === index).length;
      expect(count).toBeGreaterThan(100);
      // Rows of one episode stand close together, episodes far apart.
      const lengths: number[] = [];
      let last = Number.NEGATIVE_INFINITY;
      patterns.forEach((pattern, row) => {
        if (pattern !== index) {
          return;
        }
        // One in two rows is of the episode, of a disguised one one in twelve or more.
        if (row - last > (difficulty === "easy" ? 40 : 150)) {
          lengths.push(0);
        }
        lengths.push((lengths.pop() ?? 0) + 1);
        last = row;
      });
      expect(median(lengths)).toBeGreaterThanOrEqual(from);
      expect(median(lengths)).toBeLessThanOrEqual(to);
    }
  });
});

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
