import { expect, it } from "vitest";
import { type Cell, type Measured, shapesOf } from "./report.js";

const cell: Cell = {
  ...{ by: "cell", category: "grocery", channel: "pos", kind: "purchase", status: "approved", abroad: false },
  ...{ currency: "USD", digit: 1, country: "", hour: 0, rows: 1, amount: 0, fraud_amount: 0, fraud: 0 },
};
const measured: Measured = { cells: [], merchants: [], refundLag: { refunds: 0, p50: 0, p90: 0 } };
const shape = (of: Partial<Measured>, name: string) =>
  shapesOf({ ...measured, ...of }).find((each) => each.shape === name);

it("says of nothing that nothing was found, and calls none of it near", () => {
  for (const { found, distance, verdict } of shapesOf(measured)) {
    expect([found, distance]).toEqual([null, null]);
    expect(verdict).not.toBe("near");
  }
});

it("names a source of each figure that is published, and none of the others", () => {
  for (const { published, verdict } of shapesOf(measured)) {
    expect(published === null).toBe(verdict === "none published");
    expect(published?.source).not.toBe("");
  }
});

it("compares means of a category in its currency", () => {
  const cells = [
    { ...cell, rows: 2, amount: 130 },
    { ...cell, currency: "EUR", rows: 9, amount: 9_000 },
    { ...cell, status: "declined", rows: 9, amount: 9_000 },
    { ...cell, kind: "refund", rows: 9, amount: 9_000 },
  ];
  expect(shape({ cells }, "mean purchase in groceries")).toMatchObject({ found: 65, verdict: "near" });
  const dear = [{ ...cell, rows: 2, amount: 400 }];
  expect(shape({ cells: dear }, "mean purchase in groceries")).toMatchObject({ found: 200, verdict: "far" });
});

it("counts fraud in what was paid, not in what was declined or given back", () => {
  const euros = { ...cell, currency: "EUR", amount: 1_000, fraud_amount: 1 };
  const cells = [
    euros,
    { ...euros, status: "declined", fraud_amount: 500 },
    { ...euros, kind: "refund", fraud_amount: 0 },
    { ...euros, currency: "USD", fraud_amount: 500 },
  ];
  expect(shape({ cells }, "fraud, of all value in EUR")).toMatchObject({ found: 0.001, verdict: "far" });
});

it("compares first digits with Benford's law", () => {
  const benford = Array.from({ length: 9 }, (_, i) => Math.round(1e6 * Math.log10(1 + 1 / (i + 1))));
  const cells = benford.map((rows, i) => ({ ...cell, digit: i + 1, rows }));
  expect(shape({ cells }, "first digits of purchases")).toMatchObject({ verdict: "near" });
  const even = benford.map((_, i) => ({ ...cell, digit: i + 1 }));
  expect(shape({ cells: even }, "first digits of purchases")).toMatchObject({ verdict: "far" });
});

it("counts what was declined of payments with the card there and without, and no refunds", () => {
  const cells = [
    { ...cell, rows: 98 },
    { ...cell, rows: 2, status: "declined" },
    { ...cell, rows: 4, channel: "ecom" },
    { ...cell, rows: 1, channel: "ecom", status: "declined" },
    { ...cell, rows: 50, kind: "refund" },
  ];
  expect(shape({ cells }, "approved, card present")).toMatchObject({ found: 0.98, verdict: "near" });
  expect(shape({ cells }, "approved, online")).toMatchObject({ found: 0.8, verdict: "near" });
});

it("takes an hour for what it is where the merchant is", () => {
  // Friday 22:00 UTC is Saturday 08:00 in Sydney; midnight is 10:00 there, and Friday evening in New York.
  const at = (country: string, hour: number): Cell => ({ ...cell, by: "hour", country, hour });
  const friday = (hour: number) => 4 * 24 + hour;
  const share = (cells: Cell[]) => shape({ cells }, "rows on Saturday, 10:00 to 17:00 there")?.found;
  expect(share([at("AU", friday(22)), at("AU", friday(24)), at("US", friday(24))])).toBeCloseTo(1 / 3);
  // The week is a ring: Monday 00:00 UTC is Sunday in New York.
  expect(shape({ cells: [at("US", 0)] }, "rows by weekday, the busiest")?.parts?.[6]).toBe(1);
});
