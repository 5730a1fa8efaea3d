import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { listCampaigns as list } from "../store/campaign.js";
import { bodyOf, campaignBody, state } from "./campaign_body.js";

/** Ids are in the order of their time. */
const pages = keyset("campaigns", { id: z.uuid() });

export const listCampaigns = (reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/campaigns",
    summary: "Campaigns, newest first, by pages",
    request: { query: z.strictObject({ ...pages.query, state: state.optional() }) },
    answers: { 200: pages.answer(campaignBody) },
    handle: async ({ query }) => {
      const { state: wanted, cursor } = query;
      const rows = await list(reads, { limit: pages.rowsOf(query), before: cursor?.id, state: wanted });
      const page = pages.page(rows, query, ({ campaignId }) => ({ id: campaignId }));
      return { status: 200, body: { ...page, items: page.items.map(bodyOf) } };
    },
  });
