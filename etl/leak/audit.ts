import type { FraudDifficulty } from "../spec.js";
import { mix } from "../world/prng.js";
import { aucOf, binnedAuc } from "./auc.js";
import { binsOf, MOST_BINS, pairBins } from "./bins.js";
import { HISTORY, History } from "./history.js";
import { fitLogistic } from "./logistic.js";
import { columnsOf, type Facts, type LeakRow } from "./row.js";

/** The most that a column and a pair of columns may tell, and the least that a model of the history must. */
export interface Bounds {
  readonly column: number;
  readonly pair: number;
  readonly model: number;
}

/** Fraud that is easy to find is bound by nothing. */
export const BOUNDS: Readonly<Record<FraudDifficulty, Bounds | null>> = {
  easy: null,
  medium: { column: 0.7, pair: 0.78, model: 0.85 },
  hard: { column: 0.6, pair: 0.68, model: 0.75 },
};

/** AUC of what was learnt from half of the accounts, over the other half. */
export interface Guess {
  readonly by: string;
  readonly auc: number;
}

export interface LeakReport {
  readonly rows: number;
  readonly fraud: number;
  /** Best first. */
  readonly columns: readonly Guess[];
  readonly pairs: readonly Guess[];
  readonly history: readonly Guess[];
  /** Logistic regression on all of the history. */
  readonly model: number;
}

interface Kept {
  readonly columns: Facts;
  readonly features: readonly number[];
  readonly fraud: boolean;
  readonly learnt: boolean;
}

/** Takes rows in the order of their time, all of them: the history of each is what came before. */
export class LeakAudit {
  readonly #history = new History();
  readonly #kept: Kept[] = [];
  readonly #honestOneIn: number;
  #rows = 0;
  #fraud = 0;

  /** @param honestOneIn keeps one of so many honest rows for the guesses, and all fraudulent ones. */
  constructor(honestOneIn: number) {
    this.#honestOneIn = honestOneIn;
  }

  add(row: LeakRow): void {
    const features = this.#history.take(row);
    this.#rows++;
    if (row.fraud) {
      this.#fraud++;
    } else if (this.#rows % this.#honestOneIn !== 0) {
      return;
    }
    const learnt = (mix(row.account) & 1) === 1;
    this.#kept.push({ columns: columnsOf(row), features, fraud: row.fraud, learnt });
  }

  get fraud(): number {
    return this.#fraud;
  }

  report(): LeakReport {
    const kept = this.#kept;
    const labels = {
      fraud: Uint8Array.from(kept, ({ fraud }) => (fraud ? 1 : 0)),
      learnt: Uint8Array.from(kept, ({ learnt }) => (learnt ? 1 : 0)),
    };
    const names = Object.keys(kept[0]?.columns ?? {});
    const binned = names.map((name) => ({
      name,
      bins: binsOf(kept.map(({ columns }) => columns[name] ?? "")),
    }));
    const pairs = binned.flatMap((a, i) => binned.slice(i + 1).map((b) => [a, b] as const));
    const single = (values: readonly number[]) => binnedAuc(binsOf(values), MOST_BINS, labels);
    return {
      rows: this.#rows,
      fraud: this.#fraud,
      columns: best(binned.map(({ name, bins }) => ({ by: name, auc: binnedAuc(bins, MOST_BINS, labels) }))),
      pairs: best(
        pairs.map(([a, b]) => ({
          by: `${a.name}, ${b.name}`,
          auc: binnedAuc(pairBins(a.bins, b.bins), MOST_BINS ** 2, labels),
        })),
      ),
      history: best(
        HISTORY.map((by, i) => ({ by, auc: single(kept.map(({ features }) => features[i] ?? 0)) })),
      ),
      model: modelAuc(kept),
    };
  }
}

function modelAuc(kept: readonly Kept[]): number {
  const score = fitLogistic(kept.filter(({ learnt }) => learnt));
  const judged = kept.filter(({ learnt }) => !learnt);
  return aucOf(
    judged.map(({ features, fraud }) => ({
      score: score(features),
      fraud: fraud ? 1 : 0,
      honest: fraud ? 0 : 1,
    })),
  );
}

function best(guesses: Guess[]): Guess[] {
  return guesses.sort((a, b) => b.auc - a.auc);
}

/** @returns what is beyond the bounds, in words; nothing when all is within. */
export function beyond(report: LeakReport, bounds: Bounds): string[] {
  const above = (what: string, guesses: readonly Guess[], most: number) =>
    guesses
      .filter(({ auc }) => auc > most)
      .map(({ by, auc }) => `${what} ${by} tells fraud with ${auc.toFixed(3)}, at most ${most} is allowed`);
  const model =
    report.model < bounds.model
      ? [`history tells fraud with ${report.model.toFixed(3)} only, at least ${bounds.model} is due`]
      : [];
  return [
    ...above("column", report.columns, bounds.column),
    ...above("pair", report.pairs, bounds.pair),
    ...model,
  ];
}
