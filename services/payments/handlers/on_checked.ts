import type { z } from "zod";
import { derivedId } from "../../../lib/domain/ids.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { Forecast } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { paymentsChecked } from "../../contracts/payments_checked.js";
import { walletDebitRequested } from "../../contracts/wallet_debit_requested.js";
import { debitRequestedEvent } from "../events.js";
import { forecastOf, foresee } from "../foresee.js";
import { react } from "../react.js";
import type { Telling } from "../store/transition.js";
import { outcomeOf } from "./outcome.js";

type Told = ReceivedEvent<z.output<typeof paymentsChecked.schema>>;

const factOf = ({ body, messageId, traceId }: Told) => ({
  paymentId: body.id,
  messageId,
  traceId,
  fact: { kind: "checked", approved: body.status === "APPROVED" } as const,
});

/** What fraud says: a payment that it approves is asked of the wallet, another one is declined. */
export async function onChecked(
  db: Queryable,
  events: readonly Told[],
  telling: Telling,
): Promise<EventOutcome[]> {
  const reacted = await react(db, paymentsChecked.name, events.map(factOf), telling);
  return reacted.map((each, i) => {
    const event = events[i] as Told;
    const { messageId, body } = event;
    if (body.status !== "APPROVED" || each.kind !== "moved") {
      return outcomeOf(each, event);
    }
    const follower = debitRequestedEvent(each.payment, {
      messageId: derivedId(messageId, walletDebitRequested.name),
    });
    return { kind: "done", followers: [follower] };
  });
}

export async function forecastChecked(db: Queryable, events: readonly Told[]): Promise<Forecast[]> {
  return (await foresee(db, paymentsChecked.name, events.map(factOf))).map(forecastOf);
}
