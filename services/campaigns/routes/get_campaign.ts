import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { findCampaign } from "../store/campaign.js";
import { answerOf, campaignBody, known } from "./campaign_body.js";

export const getCampaign = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/campaigns/:id",
    summary: "A campaign; its ETag is for If-Match",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answers: { 200: campaignBody },
    handle: async ({ params: { id } }) => answerOf(known(id, await findCampaign(pool, id))),
  });
