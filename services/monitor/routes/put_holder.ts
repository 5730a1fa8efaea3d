import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { renewHolder } from "../store/holder.js";
import { asOf, holderName, holdingBody, holdingOf } from "./holding_body.js";

/** 10,000 reports in hand. */
const LARGEST = 1_048_576;

export const putHolder = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "PUT",
    path: "/api/monitor/holders/:holder",
    summary: "Which reports a process of monitor-queue has in hand",
    bodyLimitBytes: LARGEST,
    request: { params: z.object({ holder: holderName }), body: holdingBody },
    answers: { 200: z.object({ as_of: asOf }) },
    handle: async ({ params: { holder }, body }) => ({
      status: 200,
      body: { as_of: await renewHolder(pool, holdingOf(holder, body)) },
    }),
  });
