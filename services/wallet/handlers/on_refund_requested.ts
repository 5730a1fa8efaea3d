import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { walletRefundRequested } from "../../contracts/wallet_refund_requested.js";
import { REST } from "../domain/refund.js";
import { refundedEvent } from "../events.js";
import { refundPayments } from "../refunds.js";
import { enterDecisions, type NewDecision } from "../store/decision.js";
import { lockFreeWalletsOf } from "../store/wallet.js";

type Asked = ReceivedEvent<z.output<typeof walletRefundRequested.schema>>;

/**
 * Gives back what is left of payments that were given up. Where nothing has been decided yet the payment is recorded as
 * cancelled, so that a debit that comes later takes nothing.
 */
export async function onRefundRequested(tx: Queryable, asked: readonly Asked[]): Promise<EventOutcome[]> {
  // A debit that is being decided has these locks.
  const { held } = await lockFreeWalletsOf(tx, [...new Set(asked.map(({ body }) => body.user_id))]);
  const events = held.size === 0 ? asked : asked.filter(({ body }) => !held.has(body.user_id));
  const byPayment = new Map(events.map((event) => [event.body.payment_id, event]));
  await enterDecisions(tx, [...byPayment.values()].map(cancellation));
  const refunds = events.map(({ body }) => ({
    paymentId: body.payment_id,
    refundId: REST,
    amount: undefined,
  }));
  const outcomes = await refundPayments(tx, refunds);
  const done = new Map<Asked, EventOutcome>();
  for (const [i, event] of events.entries()) {
    const { messageId: cause, traceId } = event;
    const [refund, outcome] = [refunds[i], outcomes[i]];
    // Otherwise there was nothing to give back, or partial refunds gave all of it, each with an event of its own.
    const followers =
      refund !== undefined && outcome?.kind === "refunded"
        ? [refundedEvent(refund, outcome, { cause, traceId })]
        : [];
    done.set(event, { kind: "done", followers });
  }
  return asked.map((event) => done.get(event) ?? { kind: "held" });
}

const cancellation = ({ body, messageId }: Asked): NewDecision => ({
  paymentId: body.payment_id,
  outcome: "cancelled",
  reason: "cancelled",
  userId: body.user_id,
  walletId: null,
  amount: null,
  currency: null,
  messageId,
});
