import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { type EventStatistics, outboxStatistics } from "../store/statistics.js";

const count = z.int().nonnegative();

const counts = z.object({
  pending: count.meta({ description: "Committed, and not published yet." }),
  sent: count,
  failed: count.meta({ description: "Not published at their first try, whatever came of them later." }),
  retries: count.meta({ description: "Tries after the first ones." }),
  oldest: z.iso.datetime({ precision: 6 }).nullable(),
  oldest_pending_seconds: z.number(),
});

const statistics = counts.extend({ types: z.record(z.string(), counts) });

export const getStatistics = (reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/pagos/outbox/estadisticas",
    summary: "What became of the events of all Pagos",
    answers: { 200: statistics },
    handle: async () => ({ status: 200, body: bodyOf(await outboxStatistics(reads)) }),
  });

function bodyOf(rows: readonly EventStatistics[]): z.output<typeof statistics> {
  const sum = (key: "pending" | "sent" | "failed" | "retries") =>
    rows.reduce((total, row) => total + Number(row[key]), 0);
  const [oldest] = rows.toSorted((a, b) => b.oldestAgeS - a.oldestAgeS);
  return {
    pending: sum("pending"),
    sent: sum("sent"),
    failed: sum("failed"),
    retries: sum("retries"),
    oldest: oldest?.oldest ?? null,
    oldest_pending_seconds: oldest?.oldestAgeS ?? 0,
    types: Object.fromEntries(rows.map((row) => [row.event, countsOf(row)])),
  };
}

const countsOf = (row: EventStatistics): z.output<typeof counts> => ({
  pending: Number(row.pending),
  sent: Number(row.sent),
  failed: Number(row.failed),
  retries: Number(row.retries),
  oldest: row.oldest,
  oldest_pending_seconds: row.oldestAgeS,
});
