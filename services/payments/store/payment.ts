import { hexOf, LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Payment, State } from "../domain/payment.js";

/** As it comes from the table. */
export interface PaymentRow extends Omit<Payment, "traceId"> {
  /** With dashes. */
  readonly traceUuid: string;
}

export const COLUMNS = `p.payment_id AS "paymentId", p.customer_id AS "customerId", p.reference, p.amount, p.currency, p.method,
  p.state, p.awaiting, p.reason, p.refunded, p.trace_id AS "traceUuid", p.created_at AS "createdAt", p.updated_at AS "updatedAt"`;

export const paymentOf = <Row extends PaymentRow>(row: Row): Row & Payment => ({
  ...row,
  traceId: hexOf(row.traceUuid),
});

export async function findPayment(db: Queryable, paymentId: string): Promise<Payment | undefined> {
  const { rows } = await db.query<PaymentRow>({
    name: "saga_find",
    text: `SELECT ${COLUMNS} FROM saga.payment p WHERE payment_id = $1`,
    values: [paymentId],
  });
  return rows.map(paymentOf)[0];
}

/** Those of the payments that are decided. A join leads each id to its month; `= ANY` would ask every month for all. */
export async function findSettled(db: Queryable, paymentIds: readonly string[]): Promise<readonly string[]> {
  const { rows } = await db.query<{ paymentId: string }>({
    name: "saga_find_settled",
    text: `SELECT payment_id AS "paymentId"
           FROM unnest($1::uuid[]) AS asked (payment_id) JOIN saga.payment USING (payment_id)
           WHERE state <> 'PENDING'`,
    values: [paymentIds],
  });
  return rows.map(({ paymentId }) => paymentId);
}

/** A customer's payments, newest first. @param before the id where the page before ended */
export async function paymentsOf(
  db: Queryable,
  customerId: string,
  {
    limit,
    before,
    state,
  }: { readonly limit: number; readonly before?: string | undefined; readonly state?: State | undefined },
): Promise<readonly Payment[]> {
  const { rows } = await db.query<PaymentRow>({
    name: "saga_of_customer",
    text: `SELECT ${COLUMNS} FROM saga.payment p
           WHERE customer_id = $1 AND payment_id < $2 AND ($3::text IS NULL OR state = $3)
           ORDER BY payment_id DESC LIMIT $4`,
    values: [customerId, before ?? LAST_ID, state ?? null, limit],
  });
  return rows.map(paymentOf);
}
