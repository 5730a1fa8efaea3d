import { mix } from "../world/prng.js";
import { aucOf, binnedAuc } from "./auc.js";
import { binsOf, MOST_BINS, pairBins } from "./bins.js";
import { HISTORY, History } from "./history.js";
import { fitLogistic } from "./logistic.js";
import { COLUMNS, columnsOf, type LeakRow } from "./row.js";

/** AUC of what was learnt from half of the accounts, over the other half. */
export interface Guess {
  readonly by: string;
  readonly auc: number;
}

export interface LeakReport {
  readonly rows: number;
  readonly fraud: number;
  /** `YYYY-MM`, in order. */
  readonly months: readonly ({ readonly month: string } & Counts)[];
  /** Best first. */
  readonly columns: readonly Guess[];
  readonly pairs: readonly Guess[];
  readonly history: readonly Guess[];
  /** Logistic regression on all of the history. */
  readonly model: number;
}

interface Counts {
  rows: number;
  fraud: number;
}

/** One of so many is kept for the guesses; all are looked at for the history. */
export interface Sampling {
  readonly honestOneIn: number;
  readonly fraudOneIn: number;
}

interface Kept {
  readonly columns: ReturnType<typeof columnsOf>;
  readonly features: readonly number[];
  readonly fraud: boolean;
  readonly learnt: boolean;
}

/** Takes rows in the order of their time, all of them: the history of each is what came before. */
export class LeakAudit {
  readonly #history = new History();
  readonly #kept: Kept[] = [];
  readonly #sampling: Sampling;
  readonly #months = new Map<string, Counts>();
  readonly #counts = { honest: 0, fraud: 0 };

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  add(row: LeakRow): void {
    const features = this.#history.take(row);
    const month = this.#monthOf(row.timeMs);
    month.rows++;
    month.fraud += row.fraud ? 1 : 0;
    const { honestOneIn, fraudOneIn } = this.#sampling;
    if (row.fraud ? ++this.#counts.fraud % fraudOneIn : ++this.#counts.honest % honestOneIn) {
      return;
    }
    const learnt = (mix(row.account) & 1) === 1;
    this.#kept.push({ columns: columnsOf(row), features, fraud: row.fraud, learnt });
  }

  get counts(): Readonly<Counts> {
    const { honest, fraud } = this.#counts;
    return { rows: honest + fraud, fraud };
  }

  report(): LeakReport {
    const kept = this.#kept;
    const labels = {
      fraud: Uint8Array.from(kept, ({ fraud }) => (fraud ? 1 : 0)),
      learnt: Uint8Array.from(kept, ({ learnt }) => (learnt ? 1 : 0)),
    };
    const binned = COLUMNS.map((name) => ({ name, bins: binsOf(kept.map(({ columns }) => columns[name])) }));
    const pairs = binned.flatMap((a, i) => binned.slice(i + 1).map((b) => [a, b] as const));
    const single = (values: readonly number[]) => binnedAuc(binsOf(values), MOST_BINS, labels);
    return {
      ...this.counts,
      months: [...this.#months].map(([month, counts]) => ({ month, ...counts })),
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

  #monthOf(timeMs: number): Counts {
    const month = new Date(timeMs).toISOString().slice(0, 7);
    const counts = this.#months.get(month) ?? { rows: 0, fraud: 0 };
    this.#months.set(month, counts);
    return counts;
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
