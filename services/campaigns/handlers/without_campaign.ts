import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Locked } from "../store/lock.js";

type NotOurs = Extract<EventOutcome, { kind: "held" | "retry" }>;

/** What becomes of an event whose campaign is not ours now; undefined: it is. */
export function withoutCampaign(campaignId: string, { accounts, held }: Locked): NotOurs | undefined {
  if (accounts.has(campaignId)) {
    return undefined;
  }
  // One that is not there may be on its way; in the end the letter says so.
  return held.has(campaignId)
    ? { kind: "held" }
    : { kind: "retry", code: "CAMPAIGN_NOT_FOUND", reason: `there is no campaign ${campaignId}.` };
}

/** What such an event would come to; nobody holds what is only looked at. */
export function forecastWithoutCampaign(campaignId: string, found: Locked): Forecast | undefined {
  const without = withoutCampaign(campaignId, found);
  return without?.kind === "retry" ? wouldFail(without.code, without.reason) : undefined;
}
