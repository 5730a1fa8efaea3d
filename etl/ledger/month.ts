import { one } from "../../lib/postgres/one.js";
import type { Client, Queryable } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";

/** Whether all chunks of a run's month are cleaned, and whether agg has been done. */
export interface MonthProgress {
  readonly complete: boolean;
  readonly done: boolean;
}

/** @throws PlatformError CHUNK_UNKNOWN when the run has no such month. */
export async function monthProgress(
  db: Queryable,
  runId: string,
  month: string,
  lock: "" | "FOR UPDATE" = "",
): Promise<MonthProgress> {
  const { rows } = await db.query<MonthProgress>(
    `SELECT chunks_done = chunks_total AS complete, state = 'done' AS done
     FROM etl.run_month WHERE run_id = $1 AND month = $2 ${lock}`,
    [runId, month],
  );
  if (rows[0] === undefined) {
    throw new EtlError("CHUNK_UNKNOWN", `run ${runId} has no month ${month}.`);
  }
  return rows[0];
}

/** Rows that clean has accepted in a run's month. */
export async function acceptedRows(client: Client, runId: string, month: string): Promise<number> {
  const { rows } = await client.query<{ accepted: number }>(
    "SELECT coalesce(sum(accepted), 0)::bigint AS accepted FROM etl.chunk WHERE run_id = $1 AND month = $2",
    [runId, month],
  );
  return one(rows).accepted;
}

/** Enters a month as published, which makes it ours until the transaction ends. @returns false when it was before. */
export async function enterMonth(client: Client, month: string): Promise<boolean> {
  // The update that changes nothing locks the row.
  const { rows } = await client.query<{ entered: boolean }>(
    `INSERT INTO etl.month AS m (month) VALUES ($1)
     ON CONFLICT (month) DO UPDATE SET month = m.month RETURNING xmax = 0 AS entered`,
    [month],
  );
  return one(rows).entered;
}

/** Enters a run's month as aggregated; the last one ends the run. @returns whether the run is done. */
export async function recordAggregated(
  client: Client,
  runId: string,
  month: string,
  aggMs: number,
): Promise<boolean> {
  await client.query(
    `UPDATE etl.run_month SET state = 'done', agg_ms = $3, finished_at = clock_timestamp()
     WHERE run_id = $1 AND month = $2`,
    [runId, month, aggMs],
  );
  const { rows } = await client.query<{ done: boolean }>(
    `UPDATE etl.run
     SET months_done = months_done + 1,
         state = CASE WHEN months_done + 1 = months_total THEN 'done' ELSE state END,
         finished_at = CASE WHEN months_done + 1 = months_total THEN clock_timestamp() END
     WHERE run_id = $1
     RETURNING state = 'done' AS done`,
    [runId],
  );
  return one(rows).done;
}
