import { describe, expect, it } from "vitest";
import { specOf } from "../../tests/oracle/chunk.js";
import { auditOf } from "../../tests/oracle/leak.js";
import { POPULATION } from "../world/world.js";
import { aucOf, binnedAuc } from "./auc.js";
import { binsOf } from "./bins.js";
import { BOUNDS, type Bounds, beyond, unlabelled } from "./bounds.js";
import { HISTORY, History } from "./history.js";
import { fitLogistic } from "./logistic.js";
import type { LeakRow } from "./row.js";

/** Small, with much fraud: some 200 episodes. */
const report = (fraudDifficulty: "easy" | "medium" | "hard") =>
  auditOf(
    specOf({
      rows: 250_000,
      chunkRows: 125_000,
      toOn: "2025-03-01",
      fraudRate: 0.01,
      fraudDifficulty,
    }),
    { honestOneIn: 4, fraudOneIn: 1 },
  );

/** Some seconds each on a core of their own. */
describe("what the generator makes", { timeout: 120_000 }, () => {
  it.each(["medium", "hard"] as const)("is as %s to find as it says", (difficulty) => {
    expect(beyond(report(difficulty), BOUNDS[difficulty] as Bounds)).toEqual([]);
  });

  it("when it is easy gives itself away by the amount, by countries and by much else", () => {
    const easy = report("easy");
    expect(BOUNDS.easy).toBeNull();
    expect(easy.columns[0]).toMatchObject({ by: "amount", auc: expect.closeTo(0.86, 1) });
    expect(easy.pairs.find(({ by }) => by === "account_country, merchant_country")?.auc).toBeGreaterThan(
      0.85,
    );
    const broken = beyond(easy, BOUNDS.medium as Bounds);
    expect(broken).toContainEqual(expect.stringMatching(/^column amount tells fraud with 0\.8/));
    expect(broken).toContainEqual(expect.stringMatching(/^pair .*amount.* tells fraud with 0\.9/));
  });
});

it("what could not be computed is beyond the bounds", () => {
  const guess = [{ by: "amount", auc: Number.NaN }];
  const counts = { rows: 0, fraud: 0, months: [] };
  const found = beyond(
    { ...counts, columns: guess, pairs: guess, history: [], model: Number.NaN },
    {
      column: 0.7,
      pair: 0.78,
      model: 0.85,
    },
  );
  expect(found).toHaveLength(3);
});

it("names months that should have fraud and have none", () => {
  const months = [
    { month: "2025-01", rows: 50_000, fraud: 100 },
    { month: "2025-02", rows: 45_000, fraud: 0 },
    { month: "2025-03", rows: 5_000, fraud: 0 },
  ];
  const counts = { rows: 100_000, fraud: 100, months };
  expect(unlabelled({ ...counts, columns: [], pairs: [], history: [], model: 1 })).toEqual([]);
  const more = {
    ...counts,
    fraud: 200,
    months: [{ month: "2025-01", rows: 50_000, fraud: 200 }, ...months.slice(1)],
  };
  expect(unlabelled({ ...more, columns: [], pairs: [], history: [], model: 1 })).toEqual([
    "2025-02 has no fraud in 45000 rows",
  ]);
});

describe("AUC", () => {
  it("is the share of pairs that are in order, a tie counting half", () => {
    const bins = [
      { score: 3, fraud: 1, honest: 0 },
      { score: 1, fraud: 0, honest: 2 },
      { score: 2, fraud: 1, honest: 2 },
    ];
    expect(aucOf(bins)).toBe((4 + 2 + 1) / 8);
    expect(aucOf([{ score: 0, fraud: 5, honest: 9 }])).toBe(0.5);
  });

  it("of bins is of rows that nothing was learnt from", () => {
    // In the first half bin 1 is fraud, in the other half bin 0.
    const labels = { fraud: Uint8Array.from([0, 1, 1, 0]), learnt: Uint8Array.from([1, 1, 0, 0]) };
    expect(binnedAuc(Uint16Array.from([0, 1, 0, 1]), 2, labels)).toBe(0);
    expect(binnedAuc(Uint16Array.from([0, 1, 1, 0]), 2, labels)).toBe(1);
  });
});

it("bins hold as many rows each, equal numbers together; rare names share one", () => {
  const ranks = binsOf(Array.from({ length: 1_000 }, (_, i) => (i * 7) % 1_000));
  const counts = new Array<number>(50).fill(0);
  for (const bin of ranks) {
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  expect(counts).toEqual(new Array(50).fill(20));
  expect(new Set(binsOf([1, 1, 1, 1, 2]).slice(0, 4)).size).toBe(1);
  const rare = [...new Array<number>(5).fill(-1), ...new Array<number>(990).fill(0), 1, 2, 2, 2, 2];
  expect([...binsOf(rare)].map((bin, i) => `${rare[i]}: ${bin}`)).toEqual(
    rare.map((value) => `${value}: ${value + 1}`),
  );
  const names = binsOf(["a", "a", ...Array.from({ length: 60 }, (_, i) => `n${i}`)]);
  expect([names[0], names.at(-1), names.at(-2)]).toEqual([0, 49, 49]);
});

it("an account knows the merchants that it has paid, and none beside them", () => {
  const history = new History();
  const knows = (account: number, merchant: number) => {
    const paid = {
      account,
      merchant,
      timeMs: 0,
      amount: 1,
      currency: "EUR",
      kind: "purchase",
      channel: "pos",
    };
    const codes = { network: "visa", status: "approved", response: "00", fraud: false };
    const facts = {
      accountFacts: {} as LeakRow["accountFacts"],
      merchantFacts: {} as LeakRow["merchantFacts"],
    };
    return history.take({ ...paid, ...codes, ...facts })[HISTORY.indexOf("account_knows_merchant")];
  };
  const merchants = [1, 2, 8, 9, POPULATION.merchants];
  expect(merchants.map((merchant) => knows(1, merchant))).toEqual([0, 0, 0, 0, 0]);
  expect(merchants.map((merchant) => knows(1, merchant))).toEqual([1, 1, 1, 1, 1]);
  expect(knows(2, 1)).toBe(0);
});

it("of either kind of rows one in so many is kept, and all are counted", () => {
  const spec = specOf({ rows: 4_000, fraudRate: 0.5 });
  const whole = auditOf(spec, { honestOneIn: 1, fraudOneIn: 1 });
  const part = auditOf(spec, { honestOneIn: 2, fraudOneIn: 3 });
  const { rows, fraud, months } = whole;
  expect(part).toMatchObject({ rows, fraud, months });
  expect(part.columns).not.toEqual(whole.columns);
});

it("the model finds the weights of what it is shown", () => {
  const rows = Array.from({ length: 4_000 }, (_, i) => {
    const features = [((i * 37) % 101) / 101, ((i * 53) % 97) / 97, 7];
    const chance = 1 / (1 + Math.exp(-(4 * (features[0] ?? 0) - 2)));
    return { features, fraud: ((i * 61) % 1_009) / 1_009 < chance };
  });
  const score = fitLogistic(rows);
  expect(score([1, 0.5, 7]) - score([0, 0.5, 7])).toBeCloseTo(4, 0);
  expect(Math.abs(score([0.5, 1, 7]) - score([0.5, 0, 7]))).toBeLessThan(0.5);
});
