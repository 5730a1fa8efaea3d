import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { walletRefunded } from "../../contracts/wallet_refunded.js";
import { react } from "../react.js";
import { findOrphans } from "../store/orphan.js";
import { DONE, outcomeOf } from "./outcome.js";

type Told = ReceivedEvent<z.output<typeof walletRefunded.schema>>;

/** What went back of a payment: the greatest total counts, in whatever order they come. */
export async function onWalletRefunded(db: Queryable, events: readonly Told[]): Promise<EventOutcome[]> {
  const told = events.map(({ body, messageId, traceId, timeline }) => ({
    paymentId: body.payment_id,
    messageId,
    traceId,
    timeline,
    fact: { kind: "refunded", total: body.refunded_total } as const,
  }));
  const reacted = await react(db, walletRefunded.name, told);
  const unknown = told.filter((_, i) => reacted[i]?.kind === "unknown").map(({ paymentId }) => paymentId);
  const orphans = await findOrphans(db, unknown);
  // The refund of an orphan is what was asked for.
  return reacted.map((each, i) => {
    const event = events[i] as Told;
    return orphans.has(event.body.payment_id) ? DONE : outcomeOf(each, event);
  });
}
