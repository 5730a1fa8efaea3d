/**
 * How well scores tell fraud from the rest: the chance that a fraudulent row scores above an honest one, a tie counting half.
 * 0.5 is a coin, 1 is certainty.
 */

/** Rows in one bin. */
export interface Bin {
  readonly score: number;
  readonly fraud: number;
  readonly honest: number;
}

/** @returns NaN without a row of each. */
export function aucOf(bins: readonly Bin[]): number {
  const sorted = bins.toSorted((a, b) => a.score - b.score);
  let [won, fraud, below] = [0, 0, 0];
  for (let i = 0; i < sorted.length; ) {
    const score = sorted[i]?.score;
    let [fraudHere, honestHere] = [0, 0];
    for (; i < sorted.length && sorted[i]?.score === score; i++) {
      fraudHere += sorted[i]?.fraud ?? 0;
      honestHere += sorted[i]?.honest ?? 0;
    }
    won += fraudHere * (below + honestHere / 2);
    fraud += fraudHere;
    below += honestHere;
  }
  return won / (fraud * below);
}

/** Which rows are fraud, and which are learnt from; the others are judged. */
export interface Labels {
  readonly fraud: Uint8Array;
  readonly learnt: Uint8Array;
}

/** So many rows at the usual share of fraud are added to each bin: a bin of few rows says little. */
const PRIOR_ROWS = 50;

/**
 * AUC of the share of fraud by bin, learnt from one part of the rows, over the others.
 *
 * @param bin of each row, below `bins`
 */
export function binnedAuc(bin: Uint16Array, bins: number, { fraud, learnt }: Labels): number {
  // By bin: honest and fraudulent rows to learn from, then those to judge.
  const counts = new Float64Array(4 * bins);
  for (let row = 0; row < bin.length; row++) {
    const at = 4 * (bin[row] ?? 0) + (learnt[row] === 1 ? 0 : 2) + (fraud[row] ?? 0);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const of = (at: number, what: number) => counts[4 * at + what] ?? 0;
  const all = Array.from({ length: bins }, (_, at) => at);
  const sum = (what: number) => all.reduce((total, at) => total + of(at, what), 0);
  const usual = sum(1) / (sum(0) + sum(1));
  return aucOf(
    all.map((at) => ({
      score: (of(at, 1) + PRIOR_ROWS * usual) / (of(at, 0) + of(at, 1) + PRIOR_ROWS),
      fraud: of(at, 3),
      honest: of(at, 2),
    })),
  );
}
