import type { z } from "zod";
import { parseAmount } from "../../../lib/domain/money.js";
import { PlatformError } from "../../../lib/errors.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import {
  type IllegalTransition,
  recordIllegalTransitions,
} from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { collectorEvtConversion } from "../../contracts/collector_evt.js";
import { type Account, decideSpends, type Outcome } from "../domain/spend.js";
import { decidedEvent } from "../events.js";
import { type Locked, lockCampaigns } from "../store/lock.js";
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
    const outcomes = new Map<Converted, EventOutcome>();
    const locked = await lockCampaigns(tx, [...new Set(events.map(({ body }) => body.campaign_id))]);
    const { accounts } = locked;
    const asked = readAll(events, locked, outcomes);
    // Under the locks, so that a decision of another process about the same campaign is seen.
    const known = new Map((await findSpends(tx, asked)).map((spend) => [nameOf(spend), spend]));
    const fresh = firstOfEach(asked.filter((each) => !known.has(nameOf(each))));
    const decided = decideSpends(fresh, accounts);
    const entering = fresh.map(
      (each, i): NewSpend => ({
        ...each,
        outcome: decided[i] as Outcome,
        campaignCurrency: (accounts.get(each.campaignId) as Account).currency,
      }),
    );
    if (!(await enterSpends(tx, entering))) {
      // One name for conversions of two campaigns. All of it is undone, since later decisions counted on these.
      throw Object.assign(new Error("a conversion was decided by another process"), { code: "40001" });
    }
    for (const spend of entering) {
      known.set(nameOf(spend), spend);
      observe(spend.outcome);
    }
    const illegal: IllegalTransition[] = [];
    for (const each of asked) {
      const spend = known.get(nameOf(each)) as RecordedSpend;
      const reason = contradiction(each, spend);
      if (reason !== undefined) {
        const { messageId } = each;
        const about = { subjectId: spend.campaignId, state: spend.outcome, reason };
        illegal.push({ messageId, event: collectorEvtConversion.name, ...about });
      }
      outcomes.set(each.event, { kind: "done", followers: [decidedEvent(spend, each.event)] });
    }
    await recordIllegalTransitions(tx, "campaigns", illegal);
    return events.map((event) => outcomes.get(event) as EventOutcome);
  };

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
