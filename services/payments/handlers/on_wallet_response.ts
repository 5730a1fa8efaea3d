import type { z } from "zod";
import { maxAttempts, type QueueFamily } from "../../../lib/broker/topology.js";
import { derivedId } from "../../../lib/domain/ids.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { Forecast } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { walletRefundRequested } from "../../contracts/wallet_refund_requested.js";
import { walletResponse } from "../../contracts/wallet_response.js";
import { refundRequestedEvent } from "../events.js";
import { forecastOf, foresee } from "../foresee.js";
import { PAYMENTS_QUEUES } from "../queues.js";
import { react } from "../react.js";
import { enterOrphans, findOrphans } from "../store/orphan.js";
import type { Telling } from "../store/transition.js";
import { outcomeOf } from "./outcome.js";

type Told = ReceivedEvent<z.output<typeof walletResponse.schema>>;

const factOf = ({ body, messageId, traceId, timeline }: Told) => ({
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
});

const LAST_ATTEMPT = maxAttempts(PAYMENTS_QUEUES[0] as QueueFamily);

/**
 * What the wallet says. Money that was taken for a payment that nobody knows, also when all attempts are made, is asked back:
 * after a restore to an earlier time the broker and the wallet may be ahead.
 */
export async function onWalletResponse(
  db: Queryable,
  events: readonly Told[],
  telling: Telling,
): Promise<EventOutcome[]> {
  const reacted = await react(db, walletResponse.name, events.map(factOf), telling);
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

/** A debit of a payment that nobody knows takes all attempts before it is asked back. */
export async function forecastWalletResponse(db: Queryable, events: readonly Told[]): Promise<Forecast[]> {
  const foreseen = await foresee(db, walletResponse.name, events.map(factOf));
  const debits = events.filter(
    ({ body }, i) => foreseen[i]?.kind === "unknown" && body.status === "APPROVED",
  );
  const orphans = new Set(
    await findOrphans(
      db,
      debits.map(({ body }) => body.payment_id),
    ),
  );
  return foreseen.map((each, i) => {
    const event = events[i] as Told;
    if (!debits.includes(event)) {
      return forecastOf(each);
    }
    const { payment_id } = event.body;
    const before = orphans.has(payment_id);
    orphans.add(payment_id);
    return { kind: before ? "already applied" : "would apply", why: "an orphan: its debit is asked back" };
  });
}

/** Its id follows from the event, which comes again if this process dies before the refund is asked for. */
const refundOf = ({ body, messageId, traceId }: Told) =>
  refundRequestedEvent(
    { paymentId: body.payment_id, customerId: body.user_id, traceId, reason: "unknown_payment" },
    { messageId: derivedId(messageId, walletRefundRequested.name) },
  );
