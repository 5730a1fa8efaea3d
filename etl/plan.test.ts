import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlatformError } from "../lib/errors.js";
import { specOf } from "../tests/oracle/chunk.js";
import { chunkOf, type Plan, planRun } from "./plan.js";
import type { PlannedSpec } from "./spec.js";

const DAY_MS = 86_400_000;
const isoDay = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

const window = fc
  .tuple(fc.integer({ min: 1_826, max: 45_000 }), fc.integer({ min: 1, max: 800 }))
  .map(([from, days]) => ({ fromOn: isoDay(from), toOn: isoDay(from + days) }));
const anySpec = fc
  .record({
    window,
    size: fc.oneof(
      fc.record({ rows: fc.nat(40), chunkRows: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ rows: fc.nat(1_000_000), chunkRows: fc.integer({ min: 3_000, max: 1_000_000 }) }),
    ),
    firstTxnId: fc.integer({ min: 1, max: 2 ** 52 }),
  })
  .map(({ window, size, firstTxnId }) => specOf({ ...window, ...size, firstTxnId }));

describe("planRun", () => {
  it("shares all rows among the months of the window, each in its place", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const { months, chunks } = planRun(spec);
        let [row, chunk] = [0, 0];
        for (const month of months) {
          expect([month.firstRow, month.firstChunk]).toEqual([row, chunk]);
          expect(month.rows).toBeGreaterThan(0);
          expect(month.chunks).toBe(Math.ceil(month.rows / spec.chunkRows));
          row += month.rows;
          chunk += month.chunks;
        }
        expect([row, chunk]).toEqual([spec.rows, chunks]);
        const names = months.map((month) => month.month);
        expect(names).toEqual([...new Set(names)].sort());
      }),
    );
  });

  it("tiles every month with chunks, in order, none too large, ids without gap", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const plan = planRun(spec);
        let txnId = spec.firstTxnId;
        for (const month of plan.months) {
          let row = 0;
          for (let k = 0; k < month.chunks; k++) {
            const chunk = chunkOf(plan, spec, month.firstChunk + k);
            expect(chunk).toMatchObject({ chunkNo: month.firstChunk + k, fromRow: row, firstTxnId: txnId });
            expect(chunk.month.month).toBe(month.month);
            expect(chunk.toRow).toBeGreaterThan(row);
            expect(chunk.toRow - row).toBeLessThanOrEqual(spec.chunkRows);
            txnId += chunk.toRow - row;
            row = chunk.toRow;
          }
          expect(row).toBe(month.rows);
        }
        expect(txnId).toBe(spec.firstTxnId + spec.rows);
      }),
    );
  });

  it.each([
    {
      name: "the most rows there may be",
      spec: specOf({ rows: 1e11, chunkRows: 1_000_000, toOn: "2026-01-01" }),
    },
    { name: "the most chunks", spec: specOf({ rows: 1e11, chunkRows: 1_000, toOn: "2026-01-01" }) },
    { name: "the longest window", spec: specOf({ rows: 1e11, fromOn: "1975-01-01", toOn: "2095-01-01" }) },
    { name: "a month of 66,546,267,013 rows", spec: specOf({ rows: 66_546_267_013, chunkRows: 58_485 }) },
    { name: "a month of 1e11 rows in even chunks", spec: specOf({ rows: 1e11, chunkRows: 12_500 }) },
  ])("adds up at size, at once: $name", ({ spec }) => {
    const started = performance.now();
    const plan = planRun(spec);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(plan.months.reduce((sum, month) => sum + month.rows, 0)).toBe(spec.rows);
    expectEnds(plan, spec);
  });

  it("gives busy months more", () => {
    const { months } = planRun(specOf({ rows: 1_200_000, toOn: "2026-01-01" }));
    const rows = (month: string) => months.find((each) => each.month === month)?.rows ?? 0;
    expect(months).toHaveLength(12);
    expect(rows("2025-12-01")).toBeGreaterThan(1.3 * rows("2025-02-01"));
    // A month cut by the window has the rows of its days only.
    const cut = planRun(specOf({ rows: 100_000, fromOn: "2025-03-29", toOn: "2025-05-01" })).months;
    expect(cut.map((month) => month.month)).toEqual(["2025-03-01", "2025-04-01"]);
    expect(cut[0]?.rows).toBeLessThan(15_000);
  });

  it("leaves out months without rows", () => {
    const year = { toOn: "2026-01-01" };
    expect(planRun(specOf({ ...year, rows: 0 }))).toEqual({ months: [], chunks: 0 });
    expect(planRun(specOf({ ...year, rows: 1 }))).toMatchObject({ months: [{ rows: 1 }], chunks: 1 });
    expect(planRun(specOf({ ...year, rows: 5 })).months.map((month) => month.rows)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe("chunkOf", () => {
  it("refuses a chunk that the run does not have", () => {
    fc.assert(
      fc.property(anySpec, fc.oneof(fc.constantFrom(0, -1, Number.NaN), fc.integer()), (spec, n) => {
        const plan = planRun(spec);
        const chunkNo = n < 0 ? n : plan.chunks + n;
        expect(() => chunkOf(plan, spec, chunkNo)).toThrow(
          expect.toSatisfy((error) => error instanceof PlatformError && error.code === "CHUNK_UNKNOWN"),
        );
      }),
    );
  });
});

/** Both ends of every month, and a few chunks within, beside their neighbours. */
function expectEnds(plan: Plan, spec: PlannedSpec): void {
  for (const month of plan.months.slice(0, 12)) {
    const at = (k: number) => chunkOf(plan, spec, month.firstChunk + k);
    const last = month.chunks - 1;
    expect([at(0).fromRow, at(last).toRow]).toEqual([0, month.rows]);
    for (let i = 1; i <= 200; i++) {
      const k = Math.floor((last * i) / 200);
      const [before, chunk] = [at(Math.max(0, k - 1)), at(k)];
      if (k > 0) {
        expect(chunk.fromRow).toBe(before.toRow);
      }
      expect(chunk.toRow).toBeGreaterThan(chunk.fromRow);
      expect(chunk.toRow - chunk.fromRow).toBeLessThanOrEqual(spec.chunkRows);
      expect(chunk.firstTxnId).toBe(spec.firstTxnId + month.firstRow + chunk.fromRow);
    }
  }
}
