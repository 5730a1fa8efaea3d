import { z } from "zod";
import { Gatherer } from "../../../lib/gatherer.js";
import { defineRoute } from "../../../lib/http/route.js";
import { isDataError } from "../../../lib/postgres/data_error.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { agree, type Report, reportShape } from "../../contracts/report.js";
import { type Entered, enterReports } from "../store/new_report.js";

/** At 1,000 reports a second five share a commit. */
const GROUP = { waitMs: 5, max: 200 };

const body = z.strictObject(reportShape).superRefine(agree);

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
  readonly groups: number;
  readonly graceMs: number;
  readonly webhook: boolean;
  readonly count: (outcome: Entered) => void;
}

export const postHeartbeats = (options: PostHeartbeatsOptions) => {
  const { pool, groups, count } = options;
  const group = new Gatherer<Report, Entered | Error>({
    ...GROUP,
    atOnce: groups,
    work: (reports) => enterEach(reports, (some) => enterReports(pool, some, options)),
  });
  return defineRoute({
    method: "POST",
    path: "/api/monitor/heartbeats",
    summary: "A report of a window, which it makes known if need be; the same once more changes nothing",
    request: { body },
    answers: { 200: answer },
    handle: async ({ body: report }) => {
      const outcome = await group.add(report);
      if (outcome instanceof Error) {
        throw outcome;
      }
      count(outcome);
      const { window_uuid, seq } = report;
      return { status: 200, body: { window_uuid, seq, outcome, duplicate: outcome === "duplicate" } };
    },
  });
};

/** Enters reports together; what PostgreSQL refuses in one of them it refuses of that alone. */
export async function enterEach(
  reports: readonly Report[],
  enter: (reports: readonly Report[]) => Promise<readonly Entered[]>,
): Promise<readonly (Entered | Error)[]> {
  try {
    return await enter(reports);
  } catch (error) {
    if (!isDataError(error) || reports.length === 1) {
      throw error;
    }
  }
  const results: (Entered | Error)[] = [];
  for (const report of reports) {
    results.push(...(await enter([report]).catch((error: Error) => [error])));
  }
  return results;
}
