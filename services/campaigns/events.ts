import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { derivedId, newId } from "../../lib/domain/ids.js";
import { formatAmount } from "../../lib/domain/money.js";
import { type EventContract, eventMessage, type ReceivedEvent } from "../../lib/messaging/event.js";
import {
  type CampaignEvent,
  campaignsEvtActivated,
  campaignsEvtCreated,
  campaignsEvtUpdated,
} from "../contracts/campaigns_evt.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import type { Campaign } from "./domain/campaign.js";
import type { RecordedSpend } from "./store/spend.js";

/** @param traceId of who made it */
export const createdEvent = (campaign: Campaign, traceId: string) =>
  eventOf(campaignsEvtCreated, campaign, traceId);

/** After a change. @param before what it was, undefined where only counts or its end changed it */
export function changedEvent(
  campaign: Campaign,
  { before, traceId }: { readonly before?: Pick<Campaign, "state">; readonly traceId?: string } = {},
): OutgoingMessage {
  const isActivated = campaign.state === "ACTIVE" && before !== undefined && before.state !== "ACTIVE";
  return eventOf(isActivated ? campaignsEvtActivated : campaignsEvtUpdated, campaign, traceId);
}

function eventOf(
  event: EventContract<CampaignEvent>,
  campaign: Campaign,
  traceId: string | undefined,
): OutgoingMessage {
  const { currency, impressions, clicks, conversions } = campaign;
  const body = {
    campaign_id: campaign.campaignId,
    name: campaign.name,
    state: campaign.state,
    budget: formatAmount(campaign.budget, currency),
    spend: formatAmount(campaign.spend, currency),
    currency,
    impressions,
    clicks,
    conversions,
    version: campaign.eventVersion,
    occurred_at: new Date().toISOString(),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  };
  return eventMessage(event, body, { messageId: newId(), traceId });
}

/** The answer to a conversion; said once more where another message was decided. @param timeline on which it is true */
export function decidedEvent(
  spend: RecordedSpend,
  { messageId, traceId }: Pick<ReceivedEvent<unknown>, "messageId" | "traceId">,
  timeline: string,
): OutgoingMessage {
  const { source, eventId, campaignId, outcome, amount, currency } = spend;
  const body = {
    source,
    event_id: eventId,
    campaign_id: campaignId,
    outcome,
    spend: formatAmount(amount, currency),
    trace_id: traceId,
  };
  return eventMessage(campaignsSpendDecided, body, {
    messageId: derivedId(messageId, campaignsSpendDecided.name),
    traceId,
    repeat: spend.messageId !== messageId,
    timeline,
  });
}
