import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { byProvider } from "../figures.js";
import { readFigures, readRoundings } from "../store/figures.js";
import {
  figures,
  figuresOf,
  roundAmounts,
  roundAmountsOf,
  spanOf,
  spanQuery,
  tagged,
} from "./figures_body.js";

const summary = z.object({
  start_date: z.iso.date(),
  end_date: z.iso.date(),
  ...figures,
  by_provider: z.array(z.object({ provider: z.string().nullable(), ...figures })),
  round_amounts: roundAmounts,
});

export const getSummary = (reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/metrics/summary",
    summary:
      "Events in figures, of the UTC days on which they happened; of the last thirty where none are named",
    request: { query: spanQuery },
    answers: { 200: summary, 304: z.undefined() },
    handle: async (request) => {
      const span = spanOf(request.query);
      const [all, roundings] = await Promise.all([readFigures(reads, span), readRoundings(reads, span)]);
      const body = {
        start_date: span.from,
        end_date: span.to,
        ...figuresOf(all),
        by_provider: byProvider(all).map(([provider, own]) => ({
          provider: provider || null,
          ...figuresOf(own),
        })),
        round_amounts: roundAmountsOf(roundings),
      };
      return tagged(request.send({ status: 200, body }), request.raw.headers["if-none-match"]);
    },
  });
