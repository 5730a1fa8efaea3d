import type { z } from "zod";
import { parseAmount } from "../../../lib/domain/money.js";
import { PlatformError } from "../../../lib/errors.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import {
  type IllegalTransition,
  recordIllegalTransitions,
} from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { timelineOf } from "../../../lib/postgres/timeline.js";
import { collectorEvtConversion } from "../../contracts/collector_evt.js";
import { type Account, decideSpends, type Outcome } from "../domain/spend.js";
import { decidedEvent } from "../events.js";
import { findCampaigns, type Locked, lockCampaigns } from "../store/lock.js";
import { enterSpends, findSpends, type NewSpend, type RecordedSpend } from "../store/spend.js";
import { withoutCampaign } from "./without_campaign.js";

type Converted = ReceivedEvent<z.output<typeof collectorEvtConversion.schema>>;

/** A conversion as it is asked for: undecided. */
interface Asked extends Omit<RecordedSpend, "outcome"> {
  readonly event: Converted;
}

/**
 * Takes what conversions cost out of their campaigns' budgets. Each is decided once, and answered with that however often it comes.
 *
 * @param observe told of each decision
 * @throws Error 40001 when another process decided one of them meanwhile
 */
export const onConversion =
  (observe: (outcome: Outcome) => void) =>
  async (tx: Queryable, events: readonly Converted[]): Promise<EventOutcome[]> => {
    const locked = await lockCampaigns(tx, campaignsOf(events));
    const { asked, undecided, known, entering } = await decideAll(tx, events, locked);
    const outcomes = new Map<Converted, EventOutcome>(undecided);
    if (!(await enterSpends(tx, entering))) {
      // One name for conversions of two campaigns. All of it is undone, since later decisions counted on these.
      throw Object.assign(new Error("a conversion was decided by another process"), { code: "40001" });
    }
    for (const { outcome } of entering) {
      observe(outcome);
    }
    const timeline = await timelineOf(tx);
    const illegal: IllegalTransition[] = [];
    for (const each of asked) {
      const spend = known.get(nameOf(each)) as RecordedSpend;
      const reason = contradiction(each, spend);
      if (reason !== undefined) {
        const { messageId } = each;
        const about = { subjectId: spend.campaignId, state: spend.outcome, reason };
        illegal.push({ messageId, event: collectorEvtConversion.name, ...about });
      }
      outcomes.set(each.event, { kind: "done", followers: [decidedEvent(spend, each.event, timeline)] });
    }
    await recordIllegalTransitions(tx, "campaigns", illegal);
    return events.map((event) => outcomes.get(event) as EventOutcome);
  };

/** The same decisions on the campaigns as they stand, held or not, with nothing entered. */
export async function forecastConversions(db: Queryable, events: readonly Converted[]): Promise<Forecast[]> {
  const found = await findCampaigns(db, campaignsOf(events));
  const { asked, undecided, known, entering } = await decideAll(db, events, found);
  const askedOf = new Map(asked.map((each) => [each.event, each]));
  const fresh = new Set(entering.map(nameOf));
  return events.map((event): Forecast => {
    const each = askedOf.get(event);
    if (each === undefined) {
      const { code, reason } = undecided.get(event) as Extract<EventOutcome, { kind: "reject" }>;
      return wouldFail(code, reason);
    }
    const spend = known.get(nameOf(each)) as RecordedSpend;
    const contradicts = contradiction(each, spend);
    if (contradicts !== undefined) {
      return { kind: "illegal", why: contradicts };
    }
    // Of twins the first is decided.
    return { kind: fresh.delete(nameOf(each)) ? "would apply" : "already applied", why: spend.outcome };
  });
}

const campaignsOf = (events: readonly Converted[]) => [
  ...new Set(events.map(({ body }) => body.campaign_id)),
];

interface Decided {
  readonly asked: readonly Asked[];
  /** Those that cannot be decided. */
  readonly undecided: ReadonlyMap<Converted, EventOutcome>;
  /** What is decided about those that are asked, by `nameOf`. */
  readonly known: ReadonlyMap<string, RecordedSpend>;
  /** Of those what is new. */
  readonly entering: readonly NewSpend[];
}

/** Decides about conversions that nobody has decided. @param locked so that decisions of other processes about them are seen */
async function decideAll(db: Queryable, events: readonly Converted[], locked: Locked): Promise<Decided> {
  const { accounts } = locked;
  const undecided = new Map<Converted, EventOutcome>();
  const asked = readAll(events, locked, undecided);
  const known = new Map((await findSpends(db, asked)).map((spend) => [nameOf(spend), spend]));
  const fresh = firstOfEach(asked.filter((each) => !known.has(nameOf(each))));
  const decided = decideSpends(fresh, accounts);
  const entering = fresh.map(
    (each, i): NewSpend => ({
      ...each,
      outcome: decided[i] as Outcome,
      campaignCurrency: (accounts.get(each.campaignId) as Account).currency,
    }),
  );
  for (const spend of entering) {
    known.set(nameOf(spend), spend);
  }
  return { asked, undecided, known, entering };
}

/** @param outcomes of those that cannot be decided: their campaign is unknown or held, or their amount is none of its currency */
function readAll(
  events: readonly Converted[],
  locked: Locked,
  outcomes: Map<Converted, EventOutcome>,
): readonly Asked[] {
  return events.flatMap((event): Asked[] => {
    const { source, event_id: eventId, campaign_id: campaignId, spend, moneda: currency } = event.body;
    const without = withoutCampaign(campaignId, locked);
    if (without !== undefined) {
      outcomes.set(event, without);
      return [];
    }
    try {
      const amount = parseAmount(spend, currency);
      return [{ event, source, eventId, campaignId, amount, currency, messageId: event.messageId }];
    } catch (error) {
      if (!(error instanceof PlatformError)) {
        throw error;
      }
      // It never will be one: the collector, which refuses such amounts itself, has a bug.
      outcomes.set(event, { kind: "reject", code: error.code, reason: error.message });
      return [];
    }
  });
}

const nameOf = ({ source, eventId }: Pick<RecordedSpend, "source" | "eventId">): string =>
  `${source} ${eventId}`;

/** A conversion that comes twice in a batch is decided by the first. */
function firstOfEach(asked: readonly Asked[]): readonly Asked[] {
  const seen = new Set<string>();
  return asked.filter((each) => !seen.has(nameOf(each)) && seen.add(nameOf(each)));
}

/** Why it is not the conversion that was decided under its name. */
function contradiction(asked: Asked, decided: RecordedSpend): string | undefined {
  if (decided.campaignId !== asked.campaignId) {
    return "another campaign than decided";
  }
  return decided.amount !== asked.amount || decided.currency !== asked.currency
    ? "another amount than decided"
    : undefined;
}
