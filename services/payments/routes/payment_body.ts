import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { NEW, type Order, type Payment } from "../domain/payment.js";

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

export function bodyOf(payment: Payment): z.output<typeof paymentBody> {
  const { paymentId, amount, currency, state, reason, refunded } = payment;
  return {
    payment_id: paymentId,
    id: paymentId,
    amount: formatAmount(amount, currency),
    currency,
    status: state,
    reason,
    refunded: formatAmount(refunded, currency),
    method: payment.method,
    customer_id: payment.customerId,
    reference: payment.reference,
    trace_id: payment.traceId,
    created_at: payment.createdAt.toISOString(),
    updated_at: payment.updatedAt.toISOString(),
  };
}

/** As it was answered when it was made. */
export const bodyOfNew = (order: Order) => bodyOf({ ...order, ...NEW, updatedAt: order.createdAt });
