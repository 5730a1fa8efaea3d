import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { formatAmount } from "../../lib/domain/money.js";
import { type EventOptions, eventMessage } from "../../lib/messaging/event.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { paymentsExpired } from "../contracts/payments_expired.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import type { Order } from "./domain/payment.js";

type Sending = Pick<EventOptions, "messageId" | "repeat">;

/** `payments.created`, the command to fraud: check it. */
export function createdEvent(order: Order, sending: Sending): OutgoingMessage {
  const { paymentId, amount, currency, method, customerId, traceId, createdAt } = order;
  const body = {
    id: paymentId,
    amount: formatAmount(amount, currency),
    currency,
    status: "PENDING" as const,
    method,
    customer_id: customerId,
    trace_id: traceId,
    created_at: createdAt.toISOString(),
  };
  return eventMessage(paymentsCreated, body, { ...sending, traceId });
}

export type Debit = Pick<Order, "paymentId" | "customerId" | "amount" | "currency" | "traceId">;

export function debitRequestedEvent(debit: Debit, sending: Sending): OutgoingMessage {
  const { paymentId, customerId, amount, currency, traceId } = debit;
  const body = {
    payment_id: paymentId,
    user_id: customerId,
    amount: formatAmount(amount, currency),
    currency,
    reason: "payment_processing",
    trace_id: traceId,
  };
  return eventMessage(walletDebitRequested, body, { ...sending, traceId });
}

export function refundRequestedEvent(
  refund: Pick<Order, "paymentId" | "customerId" | "traceId"> & { readonly reason: string },
  sending: Sending,
): OutgoingMessage {
  const { paymentId, customerId, traceId, reason } = refund;
  const body = { payment_id: paymentId, user_id: customerId, reason, trace_id: traceId };
  return eventMessage(walletRefundRequested, body, { ...sending, traceId });
}

export function expiredEvent(
  { paymentId, traceId }: Pick<Order, "paymentId" | "traceId">,
  sending: Sending,
): OutgoingMessage {
  const body = { id: paymentId, reason: "timed_out" as const, trace_id: traceId };
  return eventMessage(paymentsExpired, body, { ...sending, traceId });
}
