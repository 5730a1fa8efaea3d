import type { z } from "zod";
import { maxAttempts, type QueueFamily } from "../../../lib/broker/topology.js";
import { derivedId } from "../../../lib/domain/ids.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { walletRefundRequested } from "../../contracts/wallet_refund_requested.js";
import { walletResponse } from "../../contracts/wallet_response.js";
import { refundRequestedEvent } from "../events.js";
import { PAYMENTS_QUEUES } from "../queues.js";
import { react } from "../react.js";
import { enterOrphans } from "../store/orphan.js";
import { outcomeOf } from "./outcome.js";

type Told = ReceivedEvent<z.output<typeof walletResponse.schema>>;

const LAST_ATTEMPT = maxAttempts(PAYMENTS_QUEUES[0] as QueueFamily);

/**
 * What the wallet says. Money that was taken for a payment that nobody knows, also when all attempts are made, is asked back:
 * after a restore to an earlier time the broker and the wallet may be ahead.
 */
export async function onWalletResponse(db: Queryable, events: readonly Told[]): Promise<EventOutcome[]> {
  const told = events.map(({ body, messageId, traceId, timeline }) => ({
    paymentId: body.payment_id,
    messageId,
    traceId,
    timeline,
    fact: {
      kind: "answered",
      approved: body.status === "APPROVED",
      reason: body.reason,
      amount: body.amount,
      customerId: body.user_id,
    } as const,
  }));
  const reacted = await react(db, walletResponse.name, told);
  const isOrphan = (event: Told, i: number) =>
    reacted[i]?.kind === "unknown" && event.body.status === "APPROVED" && event.attempt >= LAST_ATTEMPT;
  await enterOrphans(
    db,
    events.filter(isOrphan).map(({ body, messageId, traceId }) => ({
      paymentId: body.payment_id,
      userId: body.user_id,
      amount: body.amount,
      messageId,
      traceId,
    })),
  );
  return reacted.map((each, i) => {
    const event = events[i] as Told;
    return isOrphan(event, i) ? { kind: "done", followers: [refundOf(event)] } : outcomeOf(each, event);
  });
}

/** Its id follows from the event, which comes again if this process dies before the refund is asked for. */
const refundOf = ({ body, messageId, traceId }: Told) =>
  refundRequestedEvent(
    { paymentId: body.payment_id, customerId: body.user_id, traceId, reason: "unknown_payment" },
    { messageId: derivedId(messageId, walletRefundRequested.name) },
  );
