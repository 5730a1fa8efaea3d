import { derivedId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import type { RefundOutcome } from "./refunds.js";

/**
 * `wallet.refunded` of a refund that was made. A repetition only where the refund was another message's or request's, which
 * announces it until it has arrived. The same message comes again after a crash, and nobody may have heard of it before.
 */
export function refundedEvent(
  refund: { readonly paymentId: string; readonly refundId: string },
  outcome: Extract<RefundOutcome, { kind: "refunded" }>,
  {
    cause,
    traceId,
    timeline,
  }: { readonly cause: string; readonly traceId: string; readonly timeline: string },
) {
  const { userId, amount, refundedTotal, repeat, madeBy } = outcome;
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
    repeat: repeat && madeBy !== cause,
    timeline,
  });
}
