import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Locked } from "../store/lock.js";

/** What becomes of an event whose campaign is not ours now; undefined: it is. */
export function withoutCampaign(campaignId: string, { accounts, held }: Locked): EventOutcome | undefined {
  if (accounts.has(campaignId)) {
    return undefined;
  }
  // One that is not there may be on its way; in the end the letter says so.
  return held.has(campaignId)
    ? { kind: "held" }
    : { kind: "retry", code: "CAMPAIGN_NOT_FOUND", reason: `there is no campaign ${campaignId}.` };
}
