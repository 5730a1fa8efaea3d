import type { z } from "zod";
import { derivedId } from "../../../lib/domain/ids.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import {
  type IllegalTransition,
  recordIllegalTransitions,
} from "../../../lib/messaging/illegal_transition.js";
import type { Outbox } from "../../../lib/messaging/outbox.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { campaignsSpendDecided } from "../../contracts/campaigns_spend_decided.js";
import { payoutOf, payoutRequestedEvent, toldEvent } from "../events.js";
import {
  type Decidable,
  type Decision,
  decidedKey,
  findDecidable,
  noteDecisions,
} from "../store/decision.js";

type Told = ReceivedEvent<z.output<typeof campaignsSpendDecided.schema>>;

/**
 * What campaigns says of conversions. What was spent earns its commission, which is asked for in the statement that notes it; what
 * was not earns none. A conversion is decided once: what says otherwise later is recorded.
 * What campaigns told on another timeline of the database it may have forgotten: that is recorded, and asked for again.
 */
export async function onSpendDecided(
  db: Queryable,
  events: readonly Told[],
  { outbox, resendAfterS }: { readonly outbox: Pick<Outbox, "send">; readonly resendAfterS: number },
): Promise<EventOutcome[]> {
  const keys = events.map(({ body }) => body);
  const met = await findDecidable(db, keys);
  const decisions = new Map<string, Decision>();
  for (const event of events) {
    const known = met.get(decidedKey(event.body));
    if (
      known !== undefined &&
      known.outcome === null &&
      mismatch(event, known) === undefined &&
      !decisions.has(known.id)
    ) {
      decisions.set(known.id, decisionOf(event, known));
    }
  }
  const { decided, paying } = await noteDecisions(db, [...decisions.values()], resendAfterS);
  outbox.send(
    [...decisions.values()].flatMap(({ id, commission }) =>
      commission !== undefined && paying.has(id) ? [commission.request] : [],
    ),
  );
  // Those that another process decided meanwhile are looked at again.
  const now = decided.size === decisions.size ? met : await findDecidable(db, keys);
  const illegal: IllegalTransition[] = [];
  const outcomes = events.map((event): EventOutcome => {
    const { body, messageId } = event;
    const known = now.get(decidedKey(body));
    if (known === undefined) {
      return { kind: "retry", ...unknown(body) };
    }
    const outcome = decided.has(known.id) ? decisions.get(known.id)?.outcome : known.outcome;
    const reason = contradiction(event, known, outcome);
    if (reason !== undefined) {
      const state = outcome ?? "undecided";
      illegal.push({ messageId, event: campaignsSpendDecided.name, subjectId: known.id, state, reason });
    }
    const asksAgain = isForeign(event, known) && outcome === null;
    const again = { messageId: derivedId(messageId, "told again"), repeat: true };
    return { kind: "done", followers: asksAgain ? [toldEvent(known.event, known.traceId, again)] : [] };
  });
  await recordIllegalTransitions(db, "collector", illegal);
  return outcomes;
}

/** The same on what is decided, nothing noted. Of decisions on one conversion the first counts. */
export async function forecastSpendDecided(db: Queryable, events: readonly Told[]): Promise<Forecast[]> {
  const met = await findDecidable(
    db,
    events.map(({ body }) => body),
  );
  const decided = new Map<string, Decision["outcome"]>();
  return events.map((event): Forecast => {
    const { body } = event;
    const known = met.get(decidedKey(body));
    if (known === undefined) {
      const { code, reason } = unknown(body);
      return wouldFail(code, reason);
    }
    const outcome = known.outcome ?? decided.get(known.id);
    const contradicts = contradiction(event, known, outcome ?? body.outcome);
    if (contradicts !== undefined) {
      return { kind: "illegal", why: contradicts };
    }
    decided.set(known.id, body.outcome);
    return { kind: outcome === undefined ? "would apply" : "already applied", why: body.outcome };
  });
}

const unknown = ({ source, event_id }: Told["body"]) => ({
  code: "EVENT_UNKNOWN",
  reason: `${source} told no event ${event_id}.`,
});

/** Why it is not what was decided. @param outcome that was */
const contradiction = (event: Told, known: Decidable, outcome: Decidable["outcome"] | undefined) =>
  mismatch(event, known) ?? (outcome === event.body.outcome ? undefined : `${event.body.outcome}, after all`);

const isForeign = ({ timeline }: Told, known: Decidable) =>
  timeline !== undefined && timeline !== known.timeline;

/** Why the decision cannot be about the event, or is not believed. */
function mismatch(told: Told, known: Decidable): string | undefined {
  const { event } = known;
  if (isForeign(told, known)) {
    return "told on another timeline of the database";
  }
  if (event.type !== "conversion") {
    return `a spend of a ${event.type}`;
  }
  return event.data.campaign_id === told.body.campaign_id ? undefined : "a spend of another campaign";
}

function decisionOf({ body, timeline }: Told, { id, event, traceId }: Decidable): Decision {
  const { outcome } = body;
  if (outcome !== "spent" || event.type !== "conversion") {
    return { id, outcome, timeline, commission: undefined };
  }
  const asked = payoutOf(event);
  return { id, outcome, timeline, commission: { asked, request: payoutRequestedEvent(asked, traceId) } };
}
