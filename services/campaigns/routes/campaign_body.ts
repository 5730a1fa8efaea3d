import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import type { Answer } from "../../../lib/http/answer.js";
import { etagOf } from "../../../lib/http/precondition.js";
import { type Campaign, STATES } from "../domain/campaign.js";
import { CampaignsError } from "../errors.js";

export const state = z.enum(STATES);

/** A campaign as people decide it; what it counts and spends is in its metrics. */
export const campaignBody = z.object({
  id: z.uuid(),
  name: z.string(),
  state,
  budget: z.string(),
  currency: z.string(),
  starts_at: z.iso.datetime().nullable(),
  ends_at: z.iso.datetime().nullable(),
  version: z.int().meta({ description: "As the ETag has it: one more with each change of state or budget." }),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export function bodyOf(campaign: Campaign): z.output<typeof campaignBody> {
  const { campaignId, name, budget, currency, startsAt, endsAt, version, createdAt, updatedAt } = campaign;
  return {
    id: campaignId,
    name,
    state: campaign.state,
    budget: formatAmount(budget, currency),
    currency,
    starts_at: startsAt?.toISOString() ?? null,
    ends_at: endsAt?.toISOString() ?? null,
    version,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

export const answerOf = (campaign: Campaign): Answer => ({
  status: 200,
  body: bodyOf(campaign),
  headers: { etag: etagOf(campaign.version) },
});

/** @throws CampaignsError CAMPAIGN_NOT_FOUND */
export function known<Found extends Campaign>(id: string, campaign: Found | undefined): Found {
  if (campaign === undefined) {
    throw new CampaignsError("CAMPAIGN_NOT_FOUND", `there is no campaign ${id}.`);
  }
  return campaign;
}
