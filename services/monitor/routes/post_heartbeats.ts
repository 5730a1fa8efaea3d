import { z } from "zod";
import { Gatherer } from "../../../lib/gatherer.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { type Report, reportShape } from "../../contracts/report.js";
import { type Entered, enterReports } from "../store/new_report.js";

/** At 1,000 reports a second five share a commit. */
const GROUP = { waitMs: 5, max: 200 };

const body = z.strictObject(reportShape).refine(({ seq, expected_reports }) => seq <= expected_reports, {
  path: ["seq"],
  error: "is none of the window's",
});

const answer = z.object({
  window_uuid: z.uuid(),
  seq: z.int(),
  outcome: z
    .enum(["received", "late", "duplicate", "conflict", "declared"])
    .meta({ description: "conflict: its window has another schedule; it is kept, and counted nowhere." }),
  duplicate: z.boolean(),
});

export interface PostHeartbeatsOptions {
  readonly pool: Pool;
  /** Groups that are entered at a time. */
  readonly connections: number;
  readonly graceMs: number;
  readonly webhook: boolean;
  readonly count: (outcome: Entered) => void;
}

export const postHeartbeats = (options: PostHeartbeatsOptions) => {
  const { pool, connections, count } = options;
  const group = new Gatherer<Report, Entered>({
    ...GROUP,
    atOnce: connections,
    work: (reports) => enterReports(pool, reports, options),
  });
  return defineRoute({
    method: "POST",
    path: "/api/monitor/heartbeats",
    summary: "A report of a window, which it makes known if need be; the same once more changes nothing",
    request: { body },
    answers: { 200: answer },
    handle: async ({ body: report }) => {
      const outcome = await group.add(report);
      count(outcome);
      const { window_uuid, seq } = report;
      return { status: 200, body: { window_uuid, seq, outcome, duplicate: outcome === "duplicate" } };
    },
  });
};
