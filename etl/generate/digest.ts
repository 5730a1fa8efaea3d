import { createHash } from "node:crypto";
import type { RowBuffer } from "./row_buffer.js";

/**
 * An order-independent fingerprint of rows of `txn` that JavaScript and SQL compute alike, with neither 64-bit arithmetic
 * here nor an extension there.
 *
 * A row becomes thirteen 32-bit words. Two linear forms h1, h2 of the words (mod 2^32) are multiplied into two 32-bit
 * lanes, and each lane is summed over the rows. The products are what makes it sound: sums of linear forms alone would not
 * notice two rows that swap their amounts. An accidental change escapes with a probability of about 2^-64.
 */
const WORDS = [
  "txn_id & 4294967295",
  "txn_id >> 32",
  "occurred_us & 4294967295",
  "occurred_us >> 32",
  "account_id",
  "merchant_id",
  "terminal_id",
  "cents & 4294967295",
  "cents >> 32",
  "original_id & 4294967295",
  "original_id >> 32",
  "codes",
  "fraud",
] as const;

// Odd and below 2^27, so that in SQL thirteen products with 32-bit words add up below 2^63.
const K1 = [
  70370413, 99990001, 67867979, 104395301, 113648639, 81265673, 127402739, 90751613, 123456791, 78498689,
  111111113, 130003279, 72727271,
] as const;
const K2 = [
  121330189, 86028121, 122949823, 93563509, 73939133, 118818811, 76837913, 131542063, 69696969, 110503049,
  95959597, 84672767, 126233057,
] as const;
const [A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12] = K1;
const [B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12] = K2;

const TWO_32 = 4_294_967_296;

/** Sums of the two lanes over the rows added; exact up to 2^21 rows. */
export class Digest {
  rows = 0;
  a = 0;
  b = 0;

  /** @param codes `hashCodes` of the row's text codes. */
  add(row: RowBuffer, codes: number): void {
    const us = row.timeMs * 1_000;
    const timeHigh = Math.floor(us / TWO_32);
    const timeLow = us - timeHigh * TWO_32;
    const txnHigh = Math.floor(row.txnId / TWO_32);
    const txnLow = row.txnId - txnHigh * TWO_32;
    const originalHigh = Math.floor(row.originalId / TWO_32);
    const originalLow = row.originalId - originalHigh * TWO_32;
    const centsHigh = Math.floor(row.cents / TWO_32);
    const h1 =
      Math.imul(txnLow, A0) +
      Math.imul(txnHigh, A1) +
      Math.imul(timeLow, A2) +
      Math.imul(timeHigh, A3) +
      Math.imul(row.account, A4) +
      Math.imul(row.merchant, A5) +
      Math.imul(row.terminal, A6) +
      Math.imul(row.cents, A7) +
      Math.imul(centsHigh, A8) +
      Math.imul(originalLow, A9) +
      Math.imul(originalHigh, A10) +
      Math.imul(codes, A11) +
      Math.imul(row.fraud, A12);
    const h2 =
      Math.imul(txnLow, B0) +
      Math.imul(txnHigh, B1) +
      Math.imul(timeLow, B2) +
      Math.imul(timeHigh, B3) +
      Math.imul(row.account, B4) +
      Math.imul(row.merchant, B5) +
      Math.imul(row.terminal, B6) +
      Math.imul(row.cents, B7) +
      Math.imul(centsHigh, B8) +
      Math.imul(originalLow, B9) +
      Math.imul(originalHigh, B10) +
      Math.imul(codes, B11) +
      Math.imul(row.fraud, B12);
    this.rows++;
    this.a += Math.imul(h1 & 0x7fffffff, h2) >>> 0;
    const g1 = h1 ^ (h1 >>> 15);
    const g2 = h2 ^ (h2 >>> 13);
    this.b += Math.imul(g1 & 0x7fffffff, g2) >>> 0;
  }
}

/** 32 bits of md5 over a row's text codes; a few thousand combinations, so callers keep the result. */
export function hashCodes(codes: readonly string[]): number {
  return createHash("md5").update(codes.join("|")).digest().readInt32BE(0);
}

/** Columns of `txn` in the order in which `hashCodes` takes them. */
const CODE_COLUMNS = ["currency", "kind", "channel", "network", "status", "response_code"] as const;

const linearForm = (coefficients: readonly number[]) =>
  `(${WORDS.map((word, i) => `(${word}) * ${coefficients[i]}`).join(" + ")}) & 4294967295`;

/**
 * A subquery over `source` (a table with the columns of `txn`) that gives each row's `txn_id`, `amount` and its two lanes
 * `a` and `b`; sum those to compare with a Digest. The OFFSET 0 keep the planner from merging the levels, which would
 * compute the forms once per use.
 */
export function digestRowsSql(source: string): string {
  return `
  SELECT txn_id, amount,
         ((h1 & 2147483647) * h2) & 4294967295 AS a,
         (((h1 # (h1 >> 15)) & 2147483647) * (h2 # (h2 >> 13))) & 4294967295 AS b
  FROM (
    SELECT txn_id, amount, ${linearForm(K1)} AS h1, ${linearForm(K2)} AS h2
    FROM (
      SELECT txn_id, amount, account_id::bigint, merchant_id::bigint, terminal_id::bigint,
             (date_part('epoch', occurred_at) * 1000000)::bigint AS occurred_us,
             (amount * 100)::bigint AS cents,
             coalesce(original_txn_id, 0) AS original_id,
             ('x' || substr(md5(concat_ws('|', ${CODE_COLUMNS.join(", ")})), 1, 8))::bit(32)::bigint AS codes,
             is_fraud::int::bigint AS fraud
      FROM ${source}
      OFFSET 0
    ) words
    OFFSET 0
  ) forms`;
}
