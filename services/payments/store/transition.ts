import { hexOf } from "../../../lib/domain/ids.js";
import { CURRENCY_CODES, minorDigitsOf } from "../../../lib/domain/money.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Met } from "../domain/consider.js";
import type { Awaiting, Order, Standing, State } from "../domain/payment.js";
import { COLUMNS, type PaymentRow, paymentOf } from "./payment.js";

/** A change of a payment that stands as `from` says, and the step that tells of it. */
export interface Transition {
  readonly paymentId: string;
  readonly from: { readonly state: State; readonly awaiting: Awaiting | null; readonly refunded: bigint };
  /** What else must be so; null: anything. */
  readonly amount: bigint | null;
  /** Of the payment's currency; null where `amount` is the payment's own. */
  readonly minorDigits: number | null;
  readonly customerId: string | null;
  /** Of the database, when what led to it was told; undefined: on any. */
  readonly timeline?: string | undefined;
  readonly to: Standing;
  /** That led to it. */
  readonly event: string;
  readonly messageId: string;
  readonly traceId: string;
}

/** What a change has besides its step. */
export interface Telling {
  /** Whether the end of a payment, and each refund after it, is entered as a webhook by the same statement. */
  readonly webhook: boolean;
}

/** Of a payment that was changed: what a command about it says. */
export type Moved = Pick<Order, "paymentId" | "customerId" | "amount" | "currency" | "traceId">;

/** Changes payments that still stand as is supposed, each once at most. @returns those that were changed, by id. */
export async function applyTransitions(
  db: Queryable,
  transitions: readonly Transition[],
  { webhook }: Telling,
): Promise<ReadonlyMap<string, Moved>> {
  if (transitions.length === 0) {
    return new Map();
  }
  // By id, so that two batches with the same payments do not wait for each other.
  const sorted = transitions.toSorted((a, b) => (a.paymentId < b.paymentId ? -1 : 1));
  const { rows } = await db.query<Omit<Moved, "traceId"> & { traceUuid: string }>({
    name: webhook ? "saga_apply_and_tell" : "saga_apply",
    text: webhook ? APPLY_AND_TELL : APPLY,
    values: [
      sorted.map(({ paymentId }) => paymentId),
      sorted.map(({ from }) => from.state),
      sorted.map(({ from }) => from.awaiting),
      sorted.map(({ from }) => from.refunded),
      sorted.map(({ amount }) => amount),
      sorted.map(({ customerId }) => customerId),
      sorted.map(({ to }) => to.state),
      sorted.map(({ to }) => to.awaiting),
      sorted.map(({ to }) => to.reason),
      sorted.map(({ to }) => to.refunded),
      sorted.map(({ event }) => event),
      sorted.map(({ messageId }) => messageId),
      sorted.map(({ traceId }) => traceId),
      sorted.map(({ timeline }) => timeline ?? null),
      sorted.map(({ minorDigits }) => minorDigits),
    ],
  });
  return new Map(rows.map(({ traceUuid, ...row }) => [row.paymentId, { ...row, traceId: hexOf(traceUuid) }]));
}

/** Digits after the point of every currency, for SQL. */
const MINOR_DIGITS = JSON.stringify(
  Object.fromEntries(CURRENCY_CODES.map((code) => [code, minorDigitsOf(code)])),
);

/** @param returned columns of the payment for what else is done with it */
const applying = (returned: string, besides: string) => `
  WITH asked AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::bigint[], $11::text[], $12::text[], $13::uuid[], $14::text[], $15::int[])
      AS a (payment_id, from_state, from_awaiting, from_refunded, amount, customer_id, state, awaiting, reason, refunded,
            event, message_id, trace_id, timeline, minor_digits)
  ), moved AS (
    UPDATE saga.payment p
    SET state = a.state, awaiting = a.awaiting, reason = a.reason, refunded = a.refunded, updated_at = now()
    FROM asked a
    WHERE p.payment_id = a.payment_id AND p.state = a.from_state AND p.awaiting IS NOT DISTINCT FROM a.from_awaiting
      AND p.refunded = a.from_refunded
      AND (a.timeline IS NULL OR a.timeline = (SELECT ops.timeline()))
      AND (a.amount IS NULL OR a.amount = p.amount) AND (a.customer_id IS NULL OR a.customer_id = p.customer_id)
      AND (a.minor_digits IS NULL OR a.minor_digits = ('${MINOR_DIGITS}'::jsonb -> p.currency)::int)
    RETURNING p.payment_id, p.customer_id, p.amount, p.currency, p.trace_id, p.state, p.awaiting, ${returned}
              a.event, a.message_id, a.trace_id AS event_trace_id
  ), stepped AS (
    INSERT INTO saga.step (payment_id, event, message_id, state, awaiting, trace_id)
    SELECT payment_id, event, message_id, state, awaiting, event_trace_id FROM moved
  )${besides}
  SELECT payment_id AS "paymentId", customer_id AS "customerId", amount, currency, trace_id AS "traceUuid" FROM moved`;

const APPLY = applying("", "");

/** Whatever has gone back decides what it is called: a refund may come before the answer, and of a payment that was given up. */
const APPLY_AND_TELL = applying(
  "p.reference, p.method, p.reason, p.refunded, p.created_at, p.updated_at,",
  `, told AS (
    INSERT INTO saga.webhook (type, data)
    SELECT 'payment.' || CASE WHEN p.refunded = 0 THEN lower(p.state)
                              WHEN p.refunded = p.amount THEN 'refunded' ELSE 'partially_refunded' END,
           -- As text: a number of JSON would lose digits.
           to_jsonb(r) || jsonb_build_object('amount', p.amount::text, 'refunded', p.refunded::text)
    FROM moved p CROSS JOIN LATERAL (SELECT ${COLUMNS}) AS r
    WHERE p.state <> 'PENDING'
  )`,
);

/** Payments that messages are about, by their ids: one message a payment. */
export async function meetPayments(
  db: Queryable,
  event: string,
  messages: readonly Pick<Transition, "paymentId" | "messageId" | "timeline">[],
): Promise<ReadonlyMap<string, Met>> {
  const { rows } = await db.query<PaymentRow & Omit<Met, "payment">>({
    name: "saga_meet",
    text: `SELECT ${COLUMNS},
                  EXISTS (SELECT FROM saga.step s
                          WHERE s.payment_id = a.payment_id AND s.message_id = a.message_id AND s.event = $3) AS repeated,
                  a.timeline IS NOT NULL AND a.timeline <> (SELECT ops.timeline()) AS foreign
           FROM unnest($1::uuid[], $2::text[], $4::text[]) AS a (payment_id, message_id, timeline)
           JOIN saga.payment p ON p.payment_id = a.payment_id`,
    values: [
      messages.map(({ paymentId }) => paymentId),
      messages.map(({ messageId }) => messageId),
      event,
      messages.map(({ timeline }) => timeline ?? null),
    ],
  });
  return new Map(
    rows.map(({ repeated, foreign, ...row }) => [
      row.paymentId,
      { payment: paymentOf(row), repeated, foreign },
    ]),
  );
}
