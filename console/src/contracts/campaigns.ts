import { z } from "zod";
import { amount, asOf, count, instant, listOf, pageQuery } from "./common.js";

const campaignState = z.enum(["CREATED", "ACTIVE", "PAUSED", "COMPLETED"]);

export const campaign = z.object({
  id: z.uuid(),
  name: z.string(),
  state: campaignState,
  currency: z.string(),
  budget: amount,
  spend: amount,
  spent_share: z.number().min(0).max(1),
  impressions: count,
  clicks: count,
  conversions: count,
  starts_at: instant.nullable(),
  ends_at: instant.nullable(),
  created_at: instant,
  updated_at: instant,
});
export type Campaign = z.output<typeof campaign>;

/** GET campaigns?state&cursor */
export const campaignQuery = z.strictObject({ ...pageQuery, state: campaignState.optional() });
export const campaignList = listOf(campaign);

/** GET campaigns/:id */
export const campaignDetail = z.object({
  campaign,
  changes: z
    .array(
      z.object({
        version: count,
        state: campaignState,
        budget: amount,
        trace_id: z.string().nullable(),
        changed_at: instant,
      }),
    )
    .meta({ description: "The newest hundred." }),
  ...asOf,
});
