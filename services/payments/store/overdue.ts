import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Awaiting, Payment } from "../domain/payment.js";
import { COLUMNS, type PaymentRow, paymentOf } from "./payment.js";

/** A pending payment whose command is due again. */
export interface Overdue extends Payment {
  /** It has been waited for long enough. */
  readonly over: boolean;
}

export async function anyOverdue(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "saga_any_overdue",
    text: "SELECT FROM saga.payment WHERE state = 'PENDING' AND due_at <= now() LIMIT 1",
  });
  return rowCount === 1;
}

/**
 * Overdue payments, locked, oldest first, but for those that another process has in hand.
 *
 * @param awaiting what may be sent again; what is over comes in any case
 */
export async function lockOverdue(
  tx: Queryable,
  {
    awaiting,
    giveUpS,
    limit,
  }: { readonly awaiting: readonly Awaiting[]; readonly giveUpS: number; readonly limit: number },
): Promise<readonly Overdue[]> {
  const { rows } = await tx.query<PaymentRow & { over: boolean }>({
    name: "saga_lock_overdue",
    text: `SELECT ${COLUMNS}, created_at <= now() - make_interval(secs => $2::float8) AS over
           FROM saga.payment p
           WHERE state = 'PENDING' AND due_at <= now()
             AND (awaiting = ANY ($1::text[]) OR created_at <= now() - make_interval(secs => $2::float8))
           ORDER BY due_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED`,
    values: [awaiting, giveUpS, limit],
  });
  return rows.map(paymentOf);
}

/** Sets when locked payments are due again: after twice the time each time, and when they are to be given up. */
export async function postpone(
  tx: Queryable,
  paymentIds: readonly string[],
  { resendAfterS, giveUpS }: { readonly resendAfterS: number; readonly giveUpS: number },
): Promise<void> {
  if (paymentIds.length === 0) {
    return;
  }
  await tx.query({
    name: "saga_postpone",
    text: `UPDATE saga.payment p
           SET sends = sends + 1,
               due_at = least(now() + make_interval(secs => $2::float8 * 2 ^ (sends + 1)),
                              greatest(now(), created_at + make_interval(secs => $3::float8)))
           FROM unnest($1::uuid[]) AS asked (payment_id)
           WHERE p.payment_id = asked.payment_id`,
    values: [paymentIds, resendAfterS, giveUpS],
  });
}
