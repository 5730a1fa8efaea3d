import { one } from "../../lib/postgres/one.js";
import type { Client, Queryable } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import type { PlannedMonth } from "../plan.js";
import type { Reading } from "./run.js";

/** Whether all chunks of a run's month are cleaned, and whether agg has been done. */
export interface MonthProgress {
  readonly complete: boolean;
  readonly done: boolean;
}

/** @throws PlatformError MONTH_UNKNOWN when the run has no such month. */
export async function monthProgress(
  db: Queryable,
  runId: string,
  month: string,
  reading: Reading = {},
): Promise<MonthProgress> {
  const { rows } = await db.query<MonthProgress>(
    `SELECT chunks_done = chunks_total AS complete, state = 'done' AS done
     FROM etl.run_month WHERE run_id = $1 AND month = $2
     ${reading.lock ? "FOR UPDATE" : ""}`,
    [runId, month],
  );
  if (rows[0] === undefined) {
    throw new EtlError("MONTH_UNKNOWN", `run ${runId} has no month ${month}.`);
  }
  return rows[0];
}

/** Enters the months of a run, all open. */
export async function enterRunMonths(
  client: Client,
  runId: string,
  months: readonly PlannedMonth[],
): Promise<void> {
  await client.query(
    `INSERT INTO etl.run_month (run_id, month, txn_rows, chunks_total)
     SELECT $1, month, txn_rows, chunks FROM unnest($2::date[], $3::bigint[], $4::integer[]) AS m (month, txn_rows, chunks)`,
    [
      runId,
      months.map((month) => month.month),
      months.map((month) => month.rows),
      months.map((month) => month.chunks),
    ],
  );
}

/** Months of a run whose agg is still to come. */
export async function openMonths(db: Queryable, runId: string): Promise<string[]> {
  const { rows } = await db.query<{ month: string }>(
    "SELECT month FROM etl.run_month WHERE run_id = $1 AND state = 'open' ORDER BY month",
    [runId],
  );
  return rows.map(({ month }) => month);
}

/** Those of them whose chunks are all cleaned. */
export async function completeMonths(db: Queryable, runId: string): Promise<string[]> {
  const { rows } = await db.query<{ month: string }>(
    `SELECT month FROM etl.run_month WHERE run_id = $1 AND chunks_done = chunks_total AND state = 'open' ORDER BY month`,
    [runId],
  );
  return rows.map(({ month }) => month);
}

/** Removes what was rejected of a run's month. */
export async function removeRejects(client: Client, runId: string, month: string): Promise<void> {
  await client.query(
    `DELETE FROM payments.txn_reject
     WHERE run_id = $1 AND chunk_no IN (SELECT chunk_no FROM etl.chunk WHERE run_id = $1 AND month = $2)`,
    [runId, month],
  );
}

/** Removes an open month of a run with its rejects and chunks. @returns rows that were staged. */
export async function removeRunMonth(client: Client, runId: string, month: string): Promise<number> {
  await removeRejects(client, runId, month);
  const { rows } = await client.query<{ txn_rows: number }>(
    "DELETE FROM etl.chunk WHERE run_id = $1 AND month = $2 RETURNING txn_rows",
    [runId, month],
  );
  await client.query("DELETE FROM etl.run_month WHERE run_id = $1 AND month = $2", [runId, month]);
  return rows.reduce((sum, row) => sum + row.txn_rows, 0);
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

/** Published months by their first days and the days after their last ones: all, or one. */
export async function publishedMonths(
  db: Queryable,
  month?: string,
): Promise<readonly { readonly month: string; readonly after: string }[]> {
  const { rows } = await db.query<{ month: string; after: string }>(
    `SELECT month::text, (month + interval '1 month')::date::text AS after FROM etl.month
     WHERE $1::date IS NULL OR month = $1 ORDER BY month`,
    [month ?? null],
  );
  return rows;
}

/**
 * Locks a published month, so that no run's agg adds to it, and lists the runs that are done with it.
 *
 * @throws PlatformError MONTH_UNKNOWN when the month is not published.
 */
export async function lockMonth(client: Client, month: string): Promise<string[]> {
  const { rowCount } = await client.query("SELECT FROM etl.month WHERE month = $1 FOR UPDATE", [month]);
  if (rowCount === 0) {
    throw new EtlError("MONTH_UNKNOWN", `there is no published month ${month}.`);
  }
  const { rows } = await client.query<{ run_id: string }>(
    `SELECT run_id FROM etl.run_month rm JOIN etl.run r USING (run_id)
     WHERE month = $1 AND rm.state = 'done' ORDER BY r.first_txn_id`,
    [month],
  );
  return rows.map(({ run_id }) => run_id);
}

/** Enters a run's month as aggregated; the last one ends the run. @returns whether the run is done. */
export async function recordAggregated(
  client: Client,
  { runId, month, aggMs }: { runId: string; month: string; aggMs: number },
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
