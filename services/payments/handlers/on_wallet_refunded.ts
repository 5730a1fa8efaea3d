import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { Forecast } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { walletRefunded } from "../../contracts/wallet_refunded.js";
import { forecastOf, foresee } from "../foresee.js";
import { react } from "../react.js";
import { findOrphans } from "../store/orphan.js";
import type { Telling } from "../store/transition.js";
import { DONE, outcomeOf } from "./outcome.js";

type Told = ReceivedEvent<z.output<typeof walletRefunded.schema>>;

const factOf = ({ body, messageId, traceId, timeline }: Told) => ({
  paymentId: body.payment_id,
  messageId,
  traceId,
  timeline,
  fact: { kind: "refunded", total: body.refunded_total } as const,
});

/** What went back of a payment: the greatest total counts, in whatever order they come. */
export async function onWalletRefunded(
  db: Queryable,
  events: readonly Told[],
  telling: Telling,
): Promise<EventOutcome[]> {
  const reacted = await react(db, walletRefunded.name, events.map(factOf), telling);
  const isOrphans = await orphansAmong(db, events, reacted);
  return reacted.map((each, i) => (isOrphans(i) ? DONE : outcomeOf(each, events[i] as Told)));
}

export async function forecastWalletRefunded(db: Queryable, events: readonly Told[]): Promise<Forecast[]> {
  const foreseen = await foresee(db, walletRefunded.name, events.map(factOf));
  const isOrphans = await orphansAmong(db, events, foreseen);
  return foreseen.map((each, i) =>
    isOrphans(i) ? { kind: "already applied", why: "the refund of an orphan" } : forecastOf(each),
  );
}

/** The refund of an orphan is what was asked for. @returns whether an event, by its place, tells of one */
async function orphansAmong(
  db: Queryable,
  events: readonly Told[],
  told: readonly { readonly kind: string }[],
): Promise<(place: number) => boolean> {
  const unknown = events.filter((_, i) => told[i]?.kind === "unknown");
  const orphans = await findOrphans(
    db,
    unknown.map(({ body }) => body.payment_id),
  );
  return (place) => orphans.has(events[place]?.body.payment_id ?? "");
}
