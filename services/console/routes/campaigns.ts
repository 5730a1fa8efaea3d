import { z } from "zod";
import { hexOf } from "../../../lib/domain/ids.js";
import { formatAmount } from "../../../lib/domain/money.js";
import { keyset } from "../../../lib/http/page.js";
import { type Campaign, campaignDetail, campaignList, campaignQuery } from "../contracts/campaigns.js";
import { known } from "../errors.js";
import { type CampaignRow, changesOf, findCampaign, listCampaigns } from "../store/campaign.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const pages = keyset("console campaigns", { id: z.uuid() });

export const getCampaigns = (resources: Resources) =>
  look(resources, {
    path: "/campaigns",
    summary: "Campaigns, newest first",
    request: { query: campaignQuery.extend({ cursor: pages.query.cursor }) },
    answer: campaignList,
    handle: async ({ query: { cursor, ...filter } }) => {
      const { rows, next } = await listCampaigns(resources.reads, { ...filter, before: cursor?.id });
      return {
        items: rows.map(bodyOf),
        next: next === undefined ? null : pages.cursorAt({ id: String(next) }),
      };
    },
  });

export const getCampaign = (resources: Resources) =>
  look(resources, {
    path: "/campaigns/:id",
    summary: "A campaign, and what became of it",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answer: campaignDetail,
    handle: async ({ params: { id } }) => {
      const campaign = known(await findCampaign(resources.pool, id), `campaign ${id}`);
      const changes = await changesOf(resources.pool, id);
      return {
        campaign: bodyOf(campaign),
        changes: changes.map(({ version, state, budget, traceUuid, changedAt }) => ({
          ...{ version, state },
          budget: formatAmount(budget, campaign.currency),
          trace_id: traceUuid === null ? null : hexOf(traceUuid),
          changed_at: changedAt.toISOString(),
        })),
      };
    },
  });

const bodyOf = (row: CampaignRow): Campaign => ({
  id: row.id,
  name: row.name,
  state: row.state,
  currency: row.currency,
  budget: formatAmount(row.budget, row.currency),
  spend: formatAmount(row.spend, row.currency),
  spent_share: Number(row.spend) / Number(row.budget),
  impressions: Number(row.impressions),
  clicks: Number(row.clicks),
  conversions: Number(row.conversions),
  starts_at: row.startsAt?.toISOString() ?? null,
  ends_at: row.endsAt?.toISOString() ?? null,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});
