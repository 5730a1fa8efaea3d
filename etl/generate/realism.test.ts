import { describe, expect, it } from "vitest";
import { CHANNELS, CURRENCIES, NETWORKS } from "../../lib/domain/codes.js";
import { type CleanRow, inspect, lineOf, specOf } from "../../tests/oracle/chunk.js";
import { population } from "../world/population.js";
import { CATEGORIES, COUNTRIES, UNITS_PER_EUR } from "../world/world.js";

const people = population();
const ROWS = 36_000;
/** Two chunks of a year's June. */
const spec = specOf({
  rows: 2 * ROWS,
  chunkRows: ROWS,
  fromOn: "2025-06-01",
  toOn: "2025-07-01",
  fraudRate: 0.02,
});
const first = inspect(spec, 0);
const accepted = first.accepted;
const legitimate = accepted.filter((row) => !row.fraud);
const fraud = accepted.filter((row) => row.fraud);

const eurosOf = (row: CleanRow) =>
  row.cents / 100 / (UNITS_PER_EUR[CURRENCIES.indexOf(row.currency as (typeof CURRENCIES)[number])] ?? 1);
const categoryOf = (row: CleanRow) => CATEGORIES[people.merchantCategory[row.merchant - 1] ?? -1];
const countryOf = (row: CleanRow) => COUNTRIES[people.accountCountry[row.account - 1] ?? -1];

describe("a row hangs together", () => {
  it("has an amount in whole coins of its currency", () => {
    const inYen = accepted.filter((row) => row.currency === "JPY");
    expect(accepted.filter((row) => row.cents <= 0)).toEqual([]);
    expect(inYen.filter((row) => row.cents % 100 !== 0)).toEqual([]);
    expect(inYen.length).toBeGreaterThan(400);
  });

  it("has its terminal's channel, its merchant's currency and its account's network", () => {
    const wrong = accepted.filter(
      (row) =>
        CHANNELS[people.terminalChannel[row.terminal - 1] ?? -1] !== row.channel ||
        CURRENCIES[people.merchantCurrency[row.merchant - 1] ?? -1] !== row.currency ||
        NETWORKS[people.accountNetwork[row.account - 1] ?? -1] !== row.network,
    );
    expect(wrong).toEqual([]);
  });

  it("has a response code that goes with its status", () => {
    const wrong = accepted.filter((row) => (row.status === "declined") === (row.response === "00"));
    expect(wrong).toEqual([]);
    expect(new Set(accepted.map((row) => row.status))).toEqual(new Set(["approved", "declined", "reversed"]));
  });

  it("is cash at a cash machine and nowhere else, fraud always a purchase", () => {
    expect(accepted.filter((row) => (row.kind === "cash") !== (row.channel === "atm"))).toEqual([]);
    expect(fraud.filter((row) => row.kind !== "purchase")).toEqual([]);
  });
});

describe("time", () => {
  it("goes forward, within the chunk's stretch of the month", () => {
    const second = inspect(spec, 1).accepted;
    const times = [...accepted, ...second].map((row) => row.timeMs);
    expect(times.filter((time, i) => time < (times[i - 1] ?? 0))).toEqual([]);
    expect(times[0]).toBeGreaterThanOrEqual(Date.UTC(2025, 5, 1));
    expect(times[0]).toBeLessThan(Date.UTC(2025, 5, 1, 1));
    expect(times.at(-1)).toBeLessThan(Date.UTC(2025, 6, 1));
    expect(times.at(-1)).toBeGreaterThan(Date.UTC(2025, 5, 30, 23));
  });

  it("stays within a window cut inside a month", () => {
    const cut = specOf({ rows: 5_000, fromOn: "2025-03-10", toOn: "2025-03-12", dirtRate: 0 });
    const times = inspect(cut).rows.map((row) => row.timeMs);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(Date.UTC(2025, 2, 10));
    expect(Math.max(...times)).toBeLessThan(Date.UTC(2025, 2, 12));
    expect(Math.max(...times)).toBeGreaterThan(Date.UTC(2025, 2, 11, 23));
  });

  it("follows the day of each country's people, who sleep at night", () => {
    for (const country of COUNTRIES) {
      const hours = accepted
        .filter((row) => countryOf(row) === country && !row.fraud)
        .map((row) => new Date(row.timeMs + country.utcOffsetHours * 3_600_000).getUTCHours());
      const share = (from: number, to: number) => shareOf(hours, (hour) => hour >= from && hour < to);
      expect(hours.length, country.code).toBeGreaterThan(300);
      expect(share(0, 5), country.code).toBeLessThan(0.03);
      expect(share(16, 20), country.code).toBeGreaterThan(0.25);
    }
  });

  it("is busier on Fridays than on Sundays", () => {
    const on = (day: number) => accepted.filter((row) => new Date(row.timeMs).getUTCDate() === day).length;
    const [friday, sunday, monday] = [on(6), on(8), on(9)];
    expect(friday).toBeGreaterThan(1.2 * sunday);
    expect(friday).toBeGreaterThan(1.1 * monday);
  });
});

describe("refunds", () => {
  const refunds = accepted.filter((row) => row.kind === "refund");
  const byId = new Map(accepted.map((row) => [row.txnId, row]));

  it("go back to an earlier approved legitimate purchase at the same shop, and never above it", () => {
    expect(refunds.length).toBeGreaterThan(200);
    for (const refund of refunds) {
      const purchase = byId.get(refund.originalId ?? 0);
      if (purchase === undefined) {
        throw new Error(`refund ${refund.txnId} of nothing`);
      }
      expect(purchase).toMatchObject({ kind: "purchase", status: "approved", fraud: false });
      expect(lineOf(purchase)).toBeLessThan(lineOf(refund));
      expect(purchase.timeMs).toBeLessThanOrEqual(refund.timeMs);
      expect(refund.cents).toBeLessThanOrEqual(purchase.cents);
      for (const column of ["account", "merchant", "terminal", "currency", "channel", "network"] as const) {
        expect(refund[column]).toBe(purchase[column]);
      }
    }
    expect(
      shareOf(refunds, (refund) => refund.cents === byId.get(refund.originalId ?? 0)?.cents),
    ).toBeCloseTo(0.7, 1);
  });

  it("are made once for a purchase, and nothing else names an original", () => {
    expect(new Set(refunds.map((row) => row.originalId)).size).toBe(refunds.length);
    expect(accepted.filter((row) => (row.originalId !== null) !== (row.kind === "refund"))).toEqual([]);
  });
});

describe("skew", () => {
  it("gives a few merchants much of the trade and most a little", () => {
    const counts = countsOf(accepted.map((row) => row.merchant));
    const top = counts.slice(0, 50).reduce((sum, count) => sum + count, 0) / accepted.length;
    expect(top).toBeGreaterThan(0.15);
    expect(top).toBeLessThan(0.6);
    // On a Zipf law's log-log line the 10th and the 1000th are far apart.
    expect((counts[9] ?? 0) / (counts[999] ?? 1)).toBeGreaterThan(10);
  });

  it("prices categories in their order, log-normally", () => {
    const byCategory = CATEGORIES.map((category) => ({
      asked: category.medianEur,
      got: median(
        legitimate.filter((row) => categoryOf(row) === category && row.kind !== "refund").map(eurosOf),
      ),
    }));
    const ranks = (numbers: number[]) => numbers.map((n) => numbers.filter((other) => other < n).length);
    const [asked, got] = [ranks(byCategory.map((c) => c.asked)), ranks(byCategory.map((c) => c.got))];
    const n = CATEGORIES.length;
    const spearman =
      1 - (6 * asked.reduce((s, rank, i) => s + (rank - (got[i] ?? 0)) ** 2, 0)) / (n * (n * n - 1));
    expect(spearman).toBeGreaterThan(0.9);
    for (const { asked: want, got: have } of byCategory) {
      expect(have / want).toBeGreaterThan(0.5);
    }
    for (const { asked: want, got: have } of byCategory) {
      expect(have / want).toBeLessThan(2.5);
    }

    const grocery = legitimate.filter((row) => categoryOf(row)?.name === "grocery").map(eurosOf);
    expect(mean(grocery)).toBeGreaterThan(1.2 * median(grocery));
    expect(Math.abs(skewness(grocery.map(Math.log)))).toBeLessThan(0.5);
  });
});

describe("fraud", () => {
  it("cannot be told by any one code", () => {
    expect(fraud.length).toBeGreaterThan(400);
    for (const column of ["currency", "kind", "channel", "network", "status", "response"] as const) {
      const among = (rows: readonly CleanRow[]) => new Set<string>(rows.map((row) => row[column]));
      if (column !== "kind") {
        expect(among(fraud).size, column).toBeGreaterThan(1);
      }
      for (const value of among(fraud)) {
        const has = (row: CleanRow) => row[column] === value;
        // Most rows with that code are legitimate, even where one in fifty is fraud, ten times the usual.
        expect(fraud.filter(has).length / accepted.filter(has).length, `${column} ${value}`).toBeLessThan(
          0.5,
        );
      }
    }
  });

  it("hides among legitimate amounts", () => {
    const amounts = legitimate.map(eurosOf).sort((a, b) => a - b);
    const at = (share: number) => amounts[Math.floor(share * amounts.length)] ?? 0;
    expect(shareOf(fraud, (row) => eurosOf(row) > at(0.001) && eurosOf(row) < at(0.999))).toBeGreaterThan(
      0.9,
    );
    // No threshold parts the two: amounts of fraud lie on both sides of the legitimate median.
    const above = shareOf(fraud, (row) => eurosOf(row) > at(0.5));
    expect(above).toBeGreaterThan(0.2);
    expect(above).toBeLessThan(0.8);
  });

  it("comes in bursts: many cards at one shop, one card at many shops", () => {
    const burst = (by: "merchant" | "account", other: "merchant" | "account") => {
      const groups = new Map<number, Set<number>>();
      for (const row of fraud) {
        groups.set(row[by], (groups.get(row[by]) ?? new Set()).add(row[other]));
      }
      return Math.max(...[...groups.values()].map((others) => others.size));
    };
    expect(burst("merchant", "account")).toBeGreaterThanOrEqual(10);
    expect(burst("account", "merchant")).toBeGreaterThanOrEqual(3);
    expect(countsOf(legitimate.map((row) => row.account))[0]).toBeLessThan(100);
  });
});

function shareOf<T>(values: readonly T[], has: (value: T) => boolean): number {
  return values.filter(has).length / values.length;
}

/** How often each value occurs, most frequent first. */
function countsOf(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts.values()].sort((a, b) => b - a);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function skewness(values: readonly number[]): number {
  const center = mean(values);
  const moment = (k: number) => mean(values.map((value) => (value - center) ** k));
  return moment(3) / moment(2) ** 1.5;
}
