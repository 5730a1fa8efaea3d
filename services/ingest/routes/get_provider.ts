import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { STATUS_CATEGORIES } from "../domain/normalised.js";
import { readDays, readFigures, readRoundings } from "../store/figures.js";
import {
  figures,
  figuresOf,
  roundAmounts,
  roundAmountsOf,
  spanOf,
  spanQuery,
  tagged,
} from "./figures_body.js";

const count = z.int().nonnegative();

const providerName = z
  .string()
  .max(50)
  .toLowerCase()
  .meta({ examples: ["stripe"] });

const provided = z.object({
  provider: z.string(),
  start_date: z.iso.date(),
  end_date: z.iso.date(),
  ...figures,
  by_day: z.array(z.object({ day: z.iso.date(), status: z.enum(STATUS_CATEGORIES), events: count })),
  round_amounts: roundAmounts,
});

export const getProvider = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/metrics/providers/:provider",
    summary: "A provider's events in figures; all of them are 0 where it sent none",
    request: { params: z.object({ provider: providerName }), query: spanQuery },
    answers: { 200: provided, 304: z.undefined() },
    handle: async (request) => {
      const { provider } = request.params;
      const span = { ...spanOf(request.query), provider };
      const [own, days, roundings] = await Promise.all([
        readFigures(pool, span),
        readDays(pool, span),
        readRoundings(pool, span),
      ]);
      const body = {
        provider,
        start_date: span.from,
        end_date: span.to,
        ...figuresOf(own),
        by_day: days,
        round_amounts: roundAmountsOf(roundings),
      };
      return tagged(request.send({ status: 200, body }), request.raw.headers["if-none-match"]);
    },
  });
