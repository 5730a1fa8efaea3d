import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { ReporterError } from "../errors.js";
import { statsOf } from "../store/window.js";

const count = z.int().nonnegative();

const answer = z.object({
  total_ticks: count,
  enviados_a_queue: count.meta({ description: "The broker has them." }),
  omitidos: count.meta({ description: "Left out by chance." }),
  errores: count,
  ok: count,
  stalled: count.meta({ description: "Their process lived and came too late." }),
  unknown: count.meta({ description: "Their process was dead." }),
});

export interface GetStatsOptions {
  readonly pool: Pool;
  readonly service: string;
}

export const getStats = ({ pool, service }: GetStatsOptions) =>
  defineRoute({
    method: "GET",
    path: "/report-windows/:window_uuid/stats",
    summary: "What became of a window's ticks so far",
    request: { params: z.object({ window_uuid: z.uuid().toLowerCase() }) },
    answers: { 200: answer },
    handle: async ({ params: { window_uuid: windowUuid } }) => {
      const stats = await statsOf(pool, { windowUuid, service });
      if (stats === undefined) {
        throw new ReporterError("REPORT_WINDOW_UNKNOWN", `${service} has opened no window ${windowUuid}.`);
      }
      const { total, sent, omitted, stalled, unknown, errors, ok } = stats;
      return {
        status: 200,
        body: {
          ...{ total_ticks: total, enviados_a_queue: sent, omitidos: omitted },
          ...{ errores: errors, ok, stalled, unknown },
        },
      };
    },
  });
