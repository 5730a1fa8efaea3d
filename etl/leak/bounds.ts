import type { FraudDifficulty } from "../spec.js";
import type { Guess, LeakReport } from "./audit.js";

/** The most that a column and a pair of columns may tell, and the least that a model of the history must. */
export interface Bounds {
  readonly column: number;
  readonly pair: number;
  readonly model: number;
}

/** Fraud that is easy to find is bound by nothing. */
export const BOUNDS = {
  easy: null,
  medium: { column: 0.7, pair: 0.78, model: 0.85 },
  hard: { column: 0.6, pair: 0.68, model: 0.75 },
} as const satisfies Record<FraudDifficulty, Bounds | null>;

/** Where so many fraudulent rows are due, there should be one. */
const DUE_ROWS = 50;

/** @returns months without a fraudulent row, though they have enough rows for some. */
export function unlabelled({ rows, fraud, months }: LeakReport): string[] {
  const rate = fraud / rows;
  return months
    .filter((month) => month.fraud === 0 && month.rows * rate >= DUE_ROWS)
    .map((month) => `${month.month} has no fraud in ${month.rows} rows`);
}

/** @returns what is beyond the bounds, in words; nothing when all is within. */
export function beyond(report: LeakReport, bounds: Bounds): string[] {
  const above = (what: string, guesses: readonly Guess[], most: number) =>
    guesses
      // Not `auc > most`: what could not be computed (NaN) is not within bounds.
      .filter(({ auc }) => !(auc <= most))
      .map(({ by, auc }) => `${what} ${by} tells fraud with ${auc.toFixed(3)}, at most ${most} is allowed`);
  const model =
    report.model >= bounds.model
      ? []
      : [`history tells fraud with ${report.model.toFixed(3)} only, at least ${bounds.model} is due`];
  return [
    ...above("column", report.columns, bounds.column),
    ...above("pair", report.pairs, bounds.pair),
    ...model,
  ];
}
