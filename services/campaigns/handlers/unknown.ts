import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";

/** It may be restored or on its way; in the end the letter says so. */
export const unknownCampaign = (campaignId: string): EventOutcome => ({
  kind: "retry",
  code: "CAMPAIGN_NOT_FOUND",
  reason: `there is no campaign ${campaignId}.`,
});
