import { z } from "zod";
import { amount } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { campaignId, eventId, partnerSource, traceId } from "./fields.js";

const schema = z.object({
  source: partnerSource,
  event_id: eventId,
  campaign_id: campaignId,
  outcome: z.enum(["spent", "over_budget", "not_active", "wrong_currency"]),
  spend: amount,
  trace_id: traceId.optional(),
});

/** campaigns → collector: what became of a conversion. Only what was `spent` earns a commission. */
export const campaignsSpendDecided: EventContract<z.output<typeof schema>> = {
  name: "campaigns.spend.decided",
  version: 1,
  schema,
  key: ({ campaign_id }) => campaign_id,
};
