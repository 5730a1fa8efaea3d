import type { Queryable } from "../../../lib/postgres/pool.js";

/** A debit of a payment that nobody knows. */
export interface Orphan {
  readonly paymentId: string;
  readonly userId: string;
  /** Decimal text, as the wallet told it. */
  readonly amount: string;
  readonly messageId: string;
  readonly traceId: string;
}

export async function enterOrphans(db: Queryable, orphans: readonly Orphan[]): Promise<void> {
  if (orphans.length === 0) {
    return;
  }
  await db.query({
    name: "saga_enter_orphans",
    text: `INSERT INTO saga.orphan (payment_id, user_id, amount, message_id, trace_id)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[])
           ON CONFLICT DO NOTHING`,
    values: [
      orphans.map(({ paymentId }) => paymentId),
      orphans.map(({ userId }) => userId),
      orphans.map(({ amount }) => amount),
      orphans.map(({ messageId }) => messageId),
      orphans.map(({ traceId }) => traceId),
    ],
  });
}

/** Those of the payments that are orphans. */
export async function findOrphans(
  db: Queryable,
  paymentIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (paymentIds.length === 0) {
    return new Set();
  }
  const { rows } = await db.query<{ paymentId: string }>({
    name: "saga_find_orphans",
    text: `SELECT payment_id AS "paymentId" FROM saga.orphan WHERE payment_id = ANY ($1::uuid[])`,
    values: [paymentIds],
  });
  return new Set(rows.map(({ paymentId }) => paymentId));
}
