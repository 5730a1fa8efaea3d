import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { renewHolder } from "../store/holder.js";
import { holderName, holdingBody, holdingOf } from "./holding_body.js";

/** 10,000 reports in hand. */
const LARGEST = 1_048_576;

export const putHolder = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "PUT",
    path: "/api/monitor/holders/:holder",
    summary: "Which reports a process of monitor-queue has in hand",
    bodyLimitBytes: LARGEST,
    request: { params: z.object({ holder: holderName }), body: holdingBody },
    answers: { 200: z.object({ holder: z.string() }) },
    handle: async ({ params: { holder }, body }) => {
      await renewHolder(pool, holdingOf(holder, body));
      return { status: 200, body: { holder } };
    },
  });
