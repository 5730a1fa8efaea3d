import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { NEW, type Order, type Payment, type Standing } from "../domain/payment.js";

export const status = z.enum(["PENDING", "APPROVED", "DECLINED", "PARTIALLY_REFUNDED", "REFUNDED"]);

/** A payment as it is answered. */
export const paymentBody = z.object({
  payment_id: z.uuid(),
  id: z.uuid().meta({ description: "The same." }),
  amount: z.string(),
  currency: z.string(),
  status,
  reason: z.enum(["fraud_detected", "insufficient_funds", "unknown_wallet", "timed_out"]).nullable(),
  refunded: z.string(),
  method: z.string(),
  customer_id: z.string(),
  reference: z.string().nullable(),
  trace_id: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const bodyOf = (payment: Payment): z.output<typeof paymentBody> =>
  body(payment, payment, payment.updatedAt);

/** As it was answered when it was made. */
export const bodyOfNew = (order: Order) => body(order, NEW, order.createdAt);

function body(
  order: Order,
  { state, reason, refunded }: Standing,
  updatedAt: Date,
): z.output<typeof paymentBody> {
  const { paymentId, amount, currency, createdAt } = order;
  return {
    payment_id: paymentId,
    id: paymentId,
    amount: formatAmount(amount, currency),
    currency,
    status: state,
    reason,
    refunded: formatAmount(refunded, currency),
    method: order.method,
    customer_id: order.customerId,
    reference: order.reference,
    trace_id: order.traceId,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
