import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { findCampaignNow } from "../store/campaign.js";
import { known } from "./campaign_body.js";

const count = z.int().nonnegative();

const metrics = z.object({
  campaign_id: z.uuid(),
  impressions: count,
  clicks: count,
  conversions: count.meta({ description: "Those that were paid for." }),
  spend: z.string(),
  remaining: z.string(),
  currency: z.string(),
  as_of: z.iso.datetime(),
});

export const getMetrics = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/campaigns/:id/metrics",
    summary: "What was seen and spent of a campaign",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answers: { 200: metrics },
    handle: async ({ params: { id } }) => {
      const campaign = known(id, await findCampaignNow(pool, id));
      const { impressions, clicks, conversions, spend, budget, currency, asOf } = campaign;
      const body = {
        campaign_id: id,
        impressions,
        clicks,
        conversions,
        spend: formatAmount(spend, currency),
        remaining: formatAmount(budget - spend, currency),
        currency,
        as_of: asOf.toISOString(),
      };
      return { status: 200, body };
    },
  });
