import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_AMOUNT } from "../../lib/domain/codes.js";
import { anyDraft, asStaged, decodeCopy } from "../../tests/oracle/chunk.js";
import { COPY_HEADER, COPY_TRAILER, encodeCodes, MAX_ROW_BYTES, RowEncoder } from "./encoder.js";
import { RowBuffer } from "./row_buffer.js";

function written(write: (encoder: RowEncoder) => void): { bytes: Buffer; length: number } {
  const encoder = new RowEncoder(new Uint8Array(1_024));
  write(encoder);
  const row = encoder.bytes.subarray(0, encoder.position);
  return { bytes: Buffer.concat([COPY_HEADER, row, COPY_TRAILER]), length: row.length };
}

/** Undefined: the row's own. */
const anyLine = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined });

describe("RowEncoder", () => {
  it("writes what PostgreSQL reads back, of any row", () => {
    fc.assert(
      fc.property(anyDraft, anyLine, (row, lineId = row.txnId) => {
        const { bytes, length } = written((encoder) => encoder.write(lineId, row, undefined, undefined));
        expect(decodeCopy(bytes)).toEqual([asStaged(row, lineId)]);
        expect(length).toBeLessThanOrEqual(MAX_ROW_BYTES);
      }),
    );
  });

  it("writes impossible amounts and times too", () => {
    const signed = fc.integer({ min: -MAX_AMOUNT * 100, max: 3 * MAX_AMOUNT * 100 });
    const anyTime = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2107, 0, 1) });
    fc.assert(
      fc.property(anyDraft, signed, anyTime, (row, amount, timeMs) => {
        Object.assign(row, { cents: amount, timeMs });
        const { bytes } = written((encoder) => encoder.write(row.txnId, row, undefined, undefined));
        // Minus nothing is nothing.
        expect(decodeCopy(bytes)).toEqual([{ ...asStaged(row, row.txnId), cents: amount + 0 }]);
      }),
    );
  });

  it("repeats a row on another line, and all else of it", () => {
    fc.assert(
      fc.property(anyDraft, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (row, lineId) => {
        fc.pre(lineId !== row.txnId);
        const { bytes, length } = written((encoder) => {
          encoder.write(row.txnId, row, undefined, undefined);
          encoder.repeat(encoder.bytes.slice(0, encoder.position), lineId);
          encoder.write(row.txnId, row, undefined, undefined);
        });
        expect(decodeCopy(bytes)).toEqual([row.txnId, lineId, row.txnId].map((id) => asStaged(row, id)));
        expect(length).toBeLessThanOrEqual(3 * MAX_ROW_BYTES);
      }),
    );
  });

  it("writes text in place of the amount and of the codes, within its bounds", () => {
    const raw = Buffer.from("999999999,99");
    const codes = ["  EUR  ", " purchase  ", "pos", "mastercard  ", " approved", "é"];
    const row = Object.assign(new RowBuffer(), {
      txnId: 5,
      account: 1,
      merchant: 1,
      terminal: 1,
      originalId: 4,
    });
    const { bytes, length } = written((encoder) => encoder.write(3, row, raw, encodeCodes(codes)));
    const [got] = decodeCopy(bytes);
    expect(got).toMatchObject({ cents: null, amountRaw: "999999999,99", originalId: 4, lineId: 3 });
    expect([got?.currency, got?.kind, got?.channel, got?.network, got?.status, got?.response]).toEqual(codes);
    expect(length).toBeLessThanOrEqual(MAX_ROW_BYTES);
  });
});
