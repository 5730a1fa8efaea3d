import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, type Model, reportOf } from "./report.js";

const currency = fc.constantFrom("USD", "EUR", "COP", "JPY", "KWD");
const count = fc.nat({ max: 1_000_000 });
const payouts = fc.integer({ min: 1, max: 1_000_000 });
const amount = fc.bigInt({ min: 0n, max: 2n ** 80n });
const cell: fc.Arbitrary<Cell> = fc
  .record({
    day: fc.option(fc.constantFrom("2026-11-24", "2026-11-25", "2026-11-26")),
    currency,
    state: fc.constantFrom("PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"),
    payouts,
    amount,
  })
  .map((each) => ({ ...each, returned: each.state === "EXITOSO" ? each.payouts % 3 : 0 }));
const cells = fc.uniqueArray(cell, {
  selector: ({ day, currency: of, state }) => `${day} ${of} ${state}`,
  maxLength: 30,
});
const campaign = fc.record({
  campaignId: fc.uuid(),
  name: fc.string(),
  state: fc.constantFrom("CREATED", "ACTIVE", "PAUSED", "COMPLETED"),
  currency,
  budget: amount,
  spend: amount,
  impressions: count,
  clicks: count,
  conversions: count,
});

/** Affiliates have a part of what the cells have, and others have the rest. */
const model: fc.Arbitrary<Model> = fc
  .record({
    asOf: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
    cells,
    campaigns: fc.array(campaign),
  })
  .map((each) => ({
    ...each,
    affiliates: each.cells
      .filter((_, i) => i % 2 === 0)
      .map(({ currency: of, state, payouts: n, amount: sum }, i) => ({
        affiliate: `a${i}`,
        currency: of,
        payouts: n,
        amount: sum,
        completed: state === "EXITOSO" ? n : 0,
        failed: state === "FALLIDO" ? n : 0,
      })),
  })) as fc.Arbitrary<Model>;

type Counted = { readonly currency: string; readonly count: number; readonly amount: string };
const v2Of = (of: Model) => reportOf("v2", of) as Exclude<ReturnType<typeof reportOf>, { version: "v1" }>;
/** By currency: what a breakdown adds up to, amounts in the digits that they are written with. */
const totalsOf = (rows: readonly Counted[]) => {
  const sums = new Map<string, [number, bigint]>();
  for (const { currency: of, count: n, amount: text } of rows) {
    const [a, b] = sums.get(of) ?? [0, 0n];
    sums.set(of, [a + n, b + BigInt(text.replace(".", ""))]);
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
};

describe("a report", () => {
  it("in v2 is all of v1, in the same words, and more", () => {
    fc.assert(
      fc.property(model, (of) => {
        const [v1, v2] = [reportOf("v1", of), v2Of(of)];
        expect(Object.keys(v1)).toEqual(["version", "as_of", "totals"]);
        const picked = Object.fromEntries(Object.keys(v1).map((key) => [key, v2[key as keyof typeof v1]]));
        expect({ ...picked, version: "v1" }).toEqual(v1);
        expect(Object.keys(v2).sort()).toEqual(
          [
            ...Object.keys(v1),
            ...["by_status", "by_day", "by_affiliate", "success_rate", "mean_amount", "campaigns"],
          ].sort(),
        );
      }),
    );
  });

  it("adds up: each breakdown to the totals", () => {
    fc.assert(
      fc.property(model, (of) => {
        const { totals, by_status, by_day, by_affiliate } = v2Of(of);
        for (const rows of [by_status, by_day, by_affiliate]) {
          expect(totalsOf(rows)).toEqual(totalsOf(totals));
        }
      }),
    );
  });

  it("is the same in whatever order its matter comes", () => {
    fc.assert(
      fc.property(model, (of) => {
        expect(reportOf("v2", { ...of, cells: of.cells.toReversed() })).toEqual(reportOf("v2", of));
      }),
    );
  });

  it("of nothing has no rate and no mean", () => {
    const none = v2Of({ asOf: new Date(0), cells: [], affiliates: [], campaigns: [] });
    expect(none).toMatchObject({ totals: [], by_day: [], success_rate: null, mean_amount: [] });
  });

  it("says rate and mean of what it has", () => {
    const of = (state: Cell["state"], n: number, sum: bigint): Cell => ({
      ...{ day: "2026-11-26", currency: "USD", state },
      ...{ payouts: n, amount: sum, returned: state === "EXITOSO" ? 1 : 0 },
    });
    const report = v2Of({
      asOf: new Date("2026-11-26T10:00:00Z"),
      cells: [of("EXITOSO", 2, 3_000n), of("FALLIDO", 1, 1_000n), of("PENDIENTE", 1, 1_002n)],
      affiliates: [],
      campaigns: [],
    });
    expect(report).toMatchObject({
      as_of: "2026-11-26T10:00:00.000Z",
      totals: [{ currency: "USD", count: 4, amount: "50.02", completed: 2, failed: 1 }],
      success_rate: 0.6667,
      // 1250.5 cents
      mean_amount: [{ currency: "USD", amount: "12.51" }],
      by_status: [
        { status: "EXITOSO", currency: "USD", count: 2, amount: "30.00", returned: 1 },
        { status: "FALLIDO", currency: "USD", count: 1, amount: "10.00", returned: 0 },
        { status: "PENDIENTE", currency: "USD", count: 1, amount: "10.02", returned: 0 },
      ],
      by_affiliate: [{ id_afiliado: null, currency: "USD", count: 4 }],
    });
  });
});
