import { instantOf } from "../../../lib/http/page.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

/** How it stands with the events of one name. */
export interface EventStatistics {
  readonly event: string;
  /** Committed and not published yet. */
  readonly pending: bigint;
  readonly sent: bigint;
  /** Not published at their first try, whatever came of them later. */
  readonly failed: bigint;
  /** Tries after the first ones. */
  readonly retries: bigint;
  /** Since when the oldest pending one waits, and how long that is; null and 0 where none does. */
  readonly oldest: string | null;
  readonly oldestAgeS: number;
}

/** Of all events that there ever were, in one statement and so of one moment. */
export async function outboxStatistics(db: Queryable): Promise<readonly EventStatistics[]> {
  const { rows } = await db.query<EventStatistics>({
    name: "payouts_statistics",
    text: `
      WITH waiting AS (
        SELECT event, count(*) AS pending, min(entered_at) AS oldest FROM payouts.outbox GROUP BY event
      ), total AS (
        SELECT event, sum(sent)::bigint AS sent, sum(failed)::bigint AS failed, sum(retries)::bigint AS retries
        FROM payouts.outbox_total GROUP BY event
      )
      SELECT event, coalesce(pending, 0) AS pending, coalesce(sent, 0) AS sent, coalesce(failed, 0) AS failed,
             coalesce(retries, 0) AS retries, ${instantOf("oldest")} AS oldest,
             greatest(extract(epoch FROM clock_timestamp() - oldest), 0)::float8 AS "oldestAgeS"
      FROM waiting FULL JOIN total USING (event) ORDER BY event`,
  });
  return rows;
}
