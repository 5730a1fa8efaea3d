import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyDraft, asStaged, digestOf } from "../../tests/oracle/chunk.js";
import { Digest, digestRowsSql, hashCodes } from "./digest.js";
import { codesOf } from "./encoder.js";
import { RowBuffer } from "./row_buffer.js";

describe("Digest", () => {
  const of = (rows: readonly RowBuffer[]) => {
    const digest = new Digest();
    for (const row of rows) {
      digest.add(row, hashCodes(codesOf(row)));
    }
    return { a: BigInt(digest.a), b: BigInt(digest.b) };
  };

  it("is what whole numbers without bounds give, for any acceptable row", () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { maxLength: 5 }), (rows) => {
        expect(of(rows)).toEqual(digestOf(rows.map((row) => asStaged(row, row.txnId))));
      }),
    );
  });

  it("does not mind the order, but minds which row has which amount", () => {
    fc.assert(
      fc.property(anyDraft, anyDraft, (one, two) => {
        const swapped = [
          Object.assign(new RowBuffer(), one, { cents: two.cents }),
          Object.assign(new RowBuffer(), two, { cents: one.cents }),
        ];
        expect(of([two, one])).toEqual(of([one, two]));
        fc.pre((one.cents - two.cents) % 2 ** 32 !== 0 && one.txnId !== two.txnId);
        expect(of(swapped)).not.toEqual(of([one, two]));
      }),
    );
  });

  it("is worded in SQL with the coefficients that the tests' own digest has", () => {
    const sql = digestRowsSql("payments.txn");
    for (const factor of ["(txn_id >> 32) * 99990001", "(cents >> 32) * 123456791", "(fraud) * 126233057"]) {
      expect(sql).toContain(factor);
    }
    expect(sql).toContain("FROM payments.txn\n");
  });
});
