import { derivedId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import type { RefundOutcome } from "./refunds.js";

/** `wallet.refunded` of a refund that was made. */
export function refundedEvent(
  refund: { readonly paymentId: string; readonly refundId: string },
  outcome: Extract<RefundOutcome, { kind: "refunded" }>,
  { cause, traceId }: { readonly cause: string; readonly traceId: string },
) {
  const { userId, amount, refundedTotal, repeat } = outcome;
  const body = {
    payment_id: refund.paymentId,
    user_id: userId,
    refund_id: refund.refundId,
    amount,
    refunded_total: refundedTotal,
    trace_id: traceId,
  };
  return eventMessage(walletRefunded, body, {
    messageId: derivedId(cause, walletRefunded.name),
    traceId,
    repeat,
  });
}
