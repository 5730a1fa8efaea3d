import { z } from "zod";
import { amount } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { aggregateVersion, campaignId, traceId } from "./fields.js";

const count = z.int().nonnegative();

const schema = z.object({
  campaign_id: campaignId,
  name: z.string().max(200),
  state: z.enum(["CREATED", "ACTIVE", "PAUSED", "COMPLETED"]),
  budget: amount,
  spend: amount,
  currency: z.string().regex(/^[A-Z]{3}$/),
  impressions: count,
  clicks: count,
  conversions: count,
  version: aggregateVersion,
  occurred_at: z.iso.datetime(),
  trace_id: traceId.optional(),
});

export type CampaignEvent = z.output<typeof schema>;

const about = (name: string): EventContract<CampaignEvent> => ({
  name,
  version: 1,
  schema,
  key: ({ campaign_id }) => campaign_id,
});

/** campaigns → reports, each with the whole campaign as it is then. */
export const campaignsEvtCreated = about("campaigns.evt.created");
export const campaignsEvtActivated = about("campaigns.evt.activated");
/** Anything else: paused, completed, another budget, spend, counts. */
export const campaignsEvtUpdated = about("campaigns.evt.updated");
