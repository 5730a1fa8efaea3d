import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Run } from "../contracts/runs.js";

export interface RunRow {
  readonly run: string;
  readonly state: Run["state"];
  readonly rows: bigint;
  readonly seed: bigint;
  readonly from: string;
  readonly to: string;
  readonly dirtRate: number;
  readonly fraudRate: number;
  readonly fraudDifficulty: string;
  readonly chunkRows: number;
  readonly firstTxnId: bigint;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly chunks: number;
  readonly staged: bigint;
  readonly cleaned: bigint;
  readonly months: number;
  readonly monthsDone: number;
  readonly rowsStaged: bigint;
  readonly rowsCleaned: bigint;
  readonly rowsAggregated: bigint;
  readonly accepted: bigint;
  readonly repaired: bigint;
  readonly rejected: bigint;
  readonly stageS: number;
  readonly cleanS: number;
  readonly aggS: number;
  readonly elapsedS: number;
  readonly share: number;
  readonly idleS: number;
  readonly etaS: number | null;
}

const COLUMNS = `run_id AS run, state, txn_rows AS rows, seed, from_on AS "from", to_on AS "to", dirt_rate AS "dirtRate",
  fraud_rate AS "fraudRate", fraud_difficulty AS "fraudDifficulty", chunk_rows AS "chunkRows", first_txn_id AS "firstTxnId", created_at AS "createdAt",
  finished_at AS "finishedAt", chunks_total AS chunks, chunks_staged AS staged, chunks_cleaned AS cleaned, months_total AS months,
  months_done AS "monthsDone", rows_staged AS "rowsStaged", rows_cleaned AS "rowsCleaned", rows_aggregated AS "rowsAggregated",
  accepted, repaired, rejected, stage_s AS "stageS", clean_s AS "cleanS", agg_s AS "aggS", elapsed_s AS "elapsedS", share,
  idle_s AS "idleS", eta_s AS "etaS"`;

/** Newest first. @param before the first transaction id where the page before ended */
export async function listRuns(
  db: Queryable,
  { before, limit }: { readonly before: bigint; readonly limit: number },
): Promise<readonly RunRow[]> {
  const { rows } = await db.query<RunRow>({
    name: "console_runs",
    text: `SELECT ${COLUMNS} FROM etl.console_run WHERE first_txn_id < $1 ORDER BY first_txn_id DESC LIMIT $2`,
    values: [before, limit],
  });
  return rows;
}

export async function findRun(db: Queryable, run: string): Promise<RunRow | undefined> {
  const { rows } = await db.query<RunRow>({
    name: "console_run",
    text: `SELECT ${COLUMNS} FROM etl.console_run WHERE run_id = $1`,
    values: [run],
  });
  return rows[0];
}

export interface UnfinishedRow extends RunRow {
  readonly state: "planned" | "running";
  readonly failures: bigint;
}

/** Those under way, with how many of their steps have failed for good. */
export async function unfinishedRuns(db: Queryable): Promise<readonly UnfinishedRow[]> {
  const { rows } = await db.query<UnfinishedRow>({
    name: "console_unfinished",
    text: `SELECT ${COLUMNS}, (SELECT count(*) FROM etl.console_failure f WHERE f.run_id = r.run_id) AS failures
           FROM etl.console_run r WHERE state IN ('planned', 'running') ORDER BY first_txn_id LIMIT 20`,
  });
  return rows;
}

export interface RunMonthRow {
  readonly month: string;
  readonly rows: bigint;
  readonly chunks: number;
  readonly done: number;
  readonly state: "open" | "done";
  readonly finishedAt: Date | null;
}

export async function monthsOf(db: Queryable, run: string): Promise<readonly RunMonthRow[]> {
  const { rows } = await db.query<RunMonthRow>({
    name: "console_run_months",
    text: `SELECT month, txn_rows AS rows, chunks_total AS chunks, chunks_done AS done, state, finished_at AS "finishedAt"
           FROM etl.console_run_month WHERE run_id = $1 ORDER BY month`,
    values: [run],
  });
  return rows;
}

export interface FailureRow {
  readonly step: "plan" | "stage" | "clean" | "agg";
  readonly chunk: number | null;
  readonly month: string | null;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly messageId: string | null;
  readonly failedAt: Date;
}

/** The latest hundred. */
export async function failuresOf(db: Queryable, run: string): Promise<readonly FailureRow[]> {
  const { rows } = await db.query<FailureRow>({
    name: "console_failures",
    text: `SELECT step, chunk_no AS chunk, month, code, reason, attempts, message_id AS "messageId", failed_at AS "failedAt"
           FROM etl.console_failure WHERE run_id = $1 ORDER BY failed_at DESC LIMIT 100`,
    values: [run],
  });
  return rows;
}
