import { one } from "../../lib/postgres/one.js";
import type { Pool, Queryable } from "../../lib/postgres/pool.js";

/** What verify and status ask of the ledger. */

/** A chunk, and what the generator predicted of it. */
export interface ChunkPrediction {
  readonly run_id: string;
  readonly chunk_no: number;
  readonly cleaned: boolean;
  readonly first_txn_id: number;
  readonly txn_rows: number;
  readonly accepted_key: number;
  readonly digest_a: string;
  readonly digest_b: string;
}

/** Chunks of a run that is not done with the month; without a run those of all runs that are. */
export async function predictions(
  db: Queryable,
  month: string,
  run: string | null,
): Promise<ChunkPrediction[]> {
  const { rows } = await db.query<ChunkPrediction>(
    `SELECT run_id, chunk_no, c.state = 'cleaned' AS cleaned, first_txn_id, c.txn_rows, accepted_key, digest_a, digest_b
     FROM etl.chunk c
     JOIN etl.run_month m USING (run_id, month)
     WHERE month = $1 AND CASE WHEN $2::text IS NULL THEN m.state = 'done' ELSE run_id = $2 END
     ORDER BY first_txn_id`,
    [month, run],
  );
  return rows;
}

/** A table that holds rows of a month: the leaf (of no run), or a run's build. */
export interface MonthTable {
  readonly run: string | null;
  readonly oid: number;
}

/** The month's tables, as far as they are there: structure names those that are missing. */
export async function tablesOf(db: Queryable, month: string): Promise<MonthTable[]> {
  // By name in pg_class, which is seen as of the same moment as the ledger; to_regclass would look at what is there now.
  const { rows } = await db.query<MonthTable>(
    `SELECT run_id AS run, oid::bigint AS oid
     FROM etl.run_month
     JOIN pg_class ON relnamespace = 'staging'::regnamespace AND relname = etl.build_name(run_id, month) || '_leaf'
     WHERE month = $1 AND state = 'open'
     UNION ALL
     SELECT NULL, oid::bigint FROM pg_class
     WHERE relnamespace = 'payments'::regnamespace AND relname = etl.leaf_name($1)
     ORDER BY 2`,
    [month],
  );
  return rows;
}

/** Months of the given runs; without runs also those that are published: no run may know of their rows. */
export async function monthsOf(pool: Pool, runIds: readonly string[] | null): Promise<string[]> {
  const { rows } = await pool.query<{ month: string }>(
    `SELECT month FROM etl.run_month WHERE $1::text[] IS NULL OR run_id = ANY ($1)
     UNION
     SELECT month FROM etl.month WHERE $1::text[] IS NULL
     ORDER BY month`,
    [runIds],
  );
  return rows.map((row) => row.month);
}

/** By a run's answer key: the rows that clean accepts, and those of them that are fraud. */
export async function acceptedByKey(db: Queryable, runId: string): Promise<{ rows: number; fraud: number }> {
  const { rows } = await db.query<{ rows: number; fraud: number }>(
    `SELECT (SELECT coalesce(sum(accepted_key), 0)::bigint FROM etl.chunk WHERE run_id = $1) AS rows,
            (SELECT coalesce(sum(injected), 0)::bigint FROM etl.chunk_class
             WHERE run_id = $1 AND outcome = 'fraud') AS fraud`,
    [runId],
  );
  return one(rows);
}

/** Rows rejected, by reason, over the given runs. */
export async function rejectReasons(
  db: Queryable,
  runIds: readonly string[],
): Promise<Record<string, number>> {
  const { rows } = await db.query<{ class: string; rows: number }>(
    `SELECT class, sum(found)::bigint AS rows FROM etl.chunk_class
     WHERE run_id = ANY ($1) AND outcome = 'rejected' GROUP BY class HAVING sum(found) > 0 ORDER BY 2 DESC, 1`,
    [runIds],
  );
  return Object.fromEntries(rows.map((row) => [row.class, row.rows]));
}
