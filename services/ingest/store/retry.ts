import type { Queryable } from "../../../lib/postgres/pool.js";
import type { StatusCategory } from "../domain/normalised.js";
import { MAX_ATTEMPTS, retryMs } from "../retry.js";

/** An event whose time to be tried again has come. */
export interface DueEvent {
  readonly id: string;
  readonly bodyId: string;
  /** It is its last attempt, or the event is older than a day. */
  readonly isLast: boolean;
}

/** Counts an attempt of each, so that no other process makes it too. */
export async function takeDue(tx: Queryable, limit: number): Promise<readonly DueEvent[]> {
  const { rows } = await tx.query<DueEvent>({
    name: "ingest_take_due",
    text: `
      WITH due AS MATERIALIZED (
        SELECT id, attempts + 1 >= $2 OR received_at < now() - interval '24 hours' AS is_last
        FROM ingest.event
        WHERE retry_at <= now()
        ORDER BY retry_at LIMIT $1 FOR UPDATE SKIP LOCKED)
      UPDATE ingest.event e
      SET attempts = e.attempts + 1,
          retry_at = CASE WHEN NOT due.is_last THEN now() + ($3::float8[])[e.attempts + 1] * interval '1 ms' END
      FROM due
      WHERE e.id = due.id
      RETURNING e.id, e.body_id AS "bodyId", due.is_last AS "isLast"`,
    values: [limit, MAX_ATTEMPTS, Array.from({ length: MAX_ATTEMPTS }, (_, i) => retryMs(i + 1))],
  });
  return rows;
}

/** How events stand. */
export interface Standing {
  readonly id: string;
  readonly bodyId: string;
  readonly status: StatusCategory;
  readonly code: string | null;
  readonly detail: string | null;
}

export async function findStanding(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const { rows } = await db.query<Standing>({
    name: "ingest_standing",
    text: `SELECT e.id, e.body_id AS "bodyId", e.status, e.code, e.detail
           FROM unnest($1::uuid[]) AS a (id) JOIN ingest.event e USING (id)`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, row]));
}
