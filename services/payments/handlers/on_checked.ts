import type { z } from "zod";
import { derivedId } from "../../../lib/domain/ids.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { paymentsChecked } from "../../contracts/payments_checked.js";
import { walletDebitRequested } from "../../contracts/wallet_debit_requested.js";
import { debitRequestedEvent } from "../events.js";
import { react } from "../react.js";
import { outcomeOf } from "./outcome.js";

type Told = ReceivedEvent<z.output<typeof paymentsChecked.schema>>;

/** What fraud says: a payment that it approves is asked of the wallet, another one is declined. */
export async function onChecked(db: Queryable, events: readonly Told[]): Promise<EventOutcome[]> {
  const told = events.map(({ body, messageId, traceId }) => ({
    paymentId: body.id,
    messageId,
    traceId,
    fact: { kind: "checked", approved: body.status === "APPROVED" } as const,
  }));
  const reacted = await react(db, paymentsChecked.name, told);
  return reacted.map((each, i) => {
    const { messageId, body } = events[i] as Told;
    if (body.status !== "APPROVED" || each.kind !== "moved") {
      return outcomeOf(each);
    }
    const follower = debitRequestedEvent(each.payment, {
      messageId: derivedId(messageId, walletDebitRequested.name),
    });
    return { kind: "done", followers: [follower] };
  });
}
