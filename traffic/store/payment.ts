import type { Pool } from "../../lib/postgres/pool.js";
import type { Outcome } from "../load/outcome.js";

/** What must come of a payment: `approved`, or why not. */
export type Expected = "approved" | "fraud_detected" | "insufficient_funds";

/** A payment that was asked for, and what must come of it. */
export interface KeptPayment {
  readonly reference: string;
  readonly customer: number;
  readonly currency: string;
  readonly amountMinor: number;
  readonly expected: Expected;
  readonly answer: Outcome;
}

/** A statement's worth. */
const BATCH = 10_000;

export async function enterPayments(
  pool: Pool,
  trafficId: number,
  payments: readonly KeptPayment[],
): Promise<void> {
  for (let from = 0; from < payments.length; from += BATCH) {
    const some = payments.slice(from, from + BATCH);
    await pool.query({
      name: "traffic_enter_payments",
      text: `INSERT INTO traffic.payment (traffic_id, reference, customer_id, currency, amount, expected, answer)
             SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])`,
      values: [
        trafficId,
        some.map(({ reference }) => reference),
        some.map(({ customer }) => `customer-${customer}`),
        some.map(({ currency }) => currency),
        some.map(({ amountMinor }) => amountMinor),
        some.map(({ expected }) => expected),
        some.map(({ answer }) => answer),
      ],
    });
  }
}
