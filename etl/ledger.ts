import { PlatformError } from "../lib/errors.js";
import { type Client, type Pool, type Queryable, transaction } from "../lib/postgres/pool.js";
import type { AnswerKey } from "./generate/generator.js";
import { GENERATOR_VERSION, type PlannedSpec, type Spec } from "./spec.js";

/**
 * The ledger: statements on schema etl. Whatever changes state takes a Client, because it belongs in the transaction that
 * does the work.
 */

export type RunState = "planned" | "running" | "done" | "cancelled";

/** Nothing more will happen to it. */
export function isOver(state: RunState): boolean {
  return state === "done" || state === "cancelled";
}

export interface Run {
  readonly runId: string;
  readonly state: RunState;
  readonly spec: PlannedSpec;
  readonly windowChunks: number;
  readonly chunksTotal: number | null;
  /** Chunks 0 … nextChunk - 1 have been sent out. */
  readonly nextChunk: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface Chunk {
  readonly state: "staged" | "cleaned";
  readonly rows: number;
  readonly releasedChunk: number | null;
}

interface RunRow {
  run_id: string;
  state: RunState;
  txn_rows: number;
  seed: number;
  from_on: string;
  to_on: string;
  dirt_rate: number;
  fraud_rate: number;
  chunk_rows: number;
  first_txn_id: number;
  generator_version: number;
  window_chunks: number;
  chunks_total: number | null;
  next_chunk: number;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/**
 * Enters a run: gives it the next id and a block of transaction ids that no other run has.
 *
 * @param begunByMessage for a run that a bare `stage` message began, see `adoptRun`.
 */
export async function createRun(
  pool: Pool,
  spec: Spec,
  windowChunks: number,
  begunByMessage = false,
): Promise<Run> {
  return transaction(pool, async (client) => {
    await lockRuns(client);
    return insertRun(client, spec, windowChunks, begunByMessage);
  });
}

/** Enters a run of just the rows that all runs together lack of `target`. @returns undefined when they lack none. */
export async function topUp(
  pool: Pool,
  spec: Spec,
  windowChunks: number,
  target: number,
): Promise<Run | undefined> {
  return transaction(pool, async (client) => {
    await lockRuns(client);
    const rows = target - (await requestedRows(client));
    return rows > 0 ? insertRun(client, { ...spec, rows }, windowChunks, false) : undefined;
  });
}

/** Two runs entered at the same time must not get the same block, nor fill the same gap; readers are not held up. */
async function lockRuns(client: Client): Promise<void> {
  await client.query("LOCK TABLE etl.run IN SHARE ROW EXCLUSIVE MODE");
}

async function insertRun(
  client: Client,
  spec: Spec,
  windowChunks: number,
  begunByMessage: boolean,
): Promise<Run> {
  const { rows } = await client.query<RunRow>(
    `INSERT INTO etl.run (run_id, state, txn_rows, seed, from_on, to_on, dirt_rate, fraud_rate, chunk_rows,
                          first_txn_id, generator_version, window_chunks, begun_by_message)
     SELECT 'r' || coalesce(max(substr(run_id, 2)::integer), 0) + 1, 'planned', $1, $2, $3, $4, $5, $6, $7,
            coalesce(max(first_txn_id + greatest(txn_rows, 1)), 1), $8, $9, $10
     FROM etl.run
     RETURNING *`,
    [
      spec.rows,
      spec.seed,
      spec.fromOn,
      spec.toOn,
      spec.dirtRate,
      spec.fraudRate,
      spec.chunkRows,
      GENERATOR_VERSION,
      windowChunks,
      begunByMessage,
    ],
  );
  return toRun(one(rows));
}

/**
 * Finds the run that a redelivered bare `stage` message began on its first delivery, if that got so far. Of several, the one
 * adopted least often, so that several redelivered messages find a run each. After 15 minutes a run is nobody's any more.
 */
export async function adoptRun(db: Queryable): Promise<Run | undefined> {
  const { rows } = await db.query<RunRow>(
    `UPDATE etl.run SET redeliveries = redeliveries + 1
     WHERE run_id = (SELECT run_id FROM etl.run
                     WHERE begun_by_message AND created_at > now() - interval '15 minutes'
                     ORDER BY redeliveries, created_at LIMIT 1)
     RETURNING *`,
  );
  return rows[0] && toRun(rows[0]);
}

/** @throws PlatformError RUN_UNKNOWN */
export async function getRun(db: Queryable, runId: string, lock: "" | "FOR UPDATE" = ""): Promise<Run> {
  const { rows } = await db.query<RunRow>(`SELECT * FROM etl.run WHERE run_id = $1 ${lock}`, [runId]);
  if (rows[0] === undefined) {
    throw new PlatformError("RUN_UNKNOWN", `there is no run ${runId}.`, {
      hint: "List them: payments status.",
    });
  }
  if (rows[0].generator_version !== GENERATOR_VERSION) {
    const versions = `run ${runId} was made by generator version ${rows[0].generator_version}, this is ${GENERATOR_VERSION}.`;
    throw new PlatformError("SPEC_INVALID", versions, {
      hint: "Finish or verify it with the release that began it.",
    });
  }
  return toRun(rows[0]);
}

/**
 * Whether a run may be worked on. Held for the transaction: cancelling waits for the steps under way, and those that come
 * after it see it.
 */
export async function isActive(client: Client, runId: string): Promise<boolean> {
  const { rows } = await client.query<{ state: RunState }>(
    "SELECT state FROM etl.run WHERE run_id = $1 FOR KEY SHARE",
    [runId],
  );
  return rows[0]?.state === "running";
}

export async function listRuns(db: Queryable): Promise<Run[]> {
  const { rows } = await db.query<RunRow>("SELECT * FROM etl.run ORDER BY first_txn_id");
  return rows.map(toRun);
}

/** Rows asked for by all runs together, of cancelled ones what they kept: what STAGE_TARGET_TXN is measured against. */
export async function requestedRows(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    `SELECT coalesce(sum(CASE WHEN state = 'cancelled' THEN kept ELSE txn_rows END), 0)::bigint AS total
     FROM etl.run r
     CROSS JOIN LATERAL (SELECT sum(txn_rows) AS kept FROM etl.run_month WHERE run_id = r.run_id) m`,
  );
  return one(rows).total;
}

/** Enters a chunk, which makes it ours until the transaction ends. @returns false when it has been entered before. */
export async function enterChunk(client: Client, entry: ChunkEntry): Promise<boolean> {
  const { rowCount } = await client.query(
    `INSERT INTO etl.chunk (run_id, chunk_no, month, state, first_txn_id, txn_rows, worker)
     VALUES ($1, $2, $3, 'staged', $4, $5, $6) ON CONFLICT DO NOTHING`,
    [entry.runId, entry.chunkNo, entry.month, entry.firstTxnId, entry.rows, entry.worker],
  );
  return rowCount === 1;
}

export interface ChunkEntry {
  readonly runId: string;
  readonly chunkNo: number;
  readonly month: string;
  readonly firstTxnId: number;
  readonly rows: number;
  readonly worker: string;
}

/** Completes a chunk's entry with what the generator says it holds. */
export async function recordStaged(
  client: Client,
  runId: string,
  chunkNo: number,
  key: AnswerKey,
  copy: { copyBytes: number; stageMs: number },
): Promise<void> {
  await client.query(
    `UPDATE etl.chunk SET accepted_key = $3, digest_a = $4, digest_b = $5, copy_bytes = $6, stage_ms = $7,
                          staged_at = clock_timestamp()
     WHERE run_id = $1 AND chunk_no = $2`,
    [runId, chunkNo, key.accepted, key.digestA, key.digestB, copy.copyBytes, copy.stageMs],
  );
  await client.query(
    `INSERT INTO etl.chunk_class (run_id, chunk_no, class, outcome, injected)
     SELECT $1, $2, class, outcome, injected
     FROM unnest($3::text[], $4::text[], $5::integer[]) AS key (class, outcome, injected)`,
    [
      runId,
      chunkNo,
      key.classes.map((row) => row.class),
      key.classes.map((row) => row.outcome),
      key.classes.map((row) => row.injected),
    ],
  );
}

export async function getChunk(
  db: Queryable,
  runId: string,
  chunkNo: number,
  lock: "" | "FOR UPDATE" = "",
): Promise<Chunk | undefined> {
  const { rows } = await db.query<{ state: Chunk["state"]; txn_rows: number; released_chunk: number | null }>(
    `SELECT state, txn_rows, released_chunk FROM etl.chunk WHERE run_id = $1 AND chunk_no = $2 ${lock}`,
    [runId, chunkNo],
  );
  const row = rows[0];
  return row && { state: row.state, rows: row.txn_rows, releasedChunk: row.released_chunk };
}

/** What clean found. */
export interface Findings {
  readonly repaired: number;
  readonly rejected: number;
  /** Rejected rows by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Whether all chunks of a run's month are cleaned, and whether agg has been done. */
export interface MonthProgress {
  readonly complete: boolean;
  readonly done: boolean;
}

/**
 * Enters a chunk as cleaned, counts it towards its month and sends out the next chunk in its place. The rows of month and
 * run are locked from here to the commit, so this comes last in the transaction.
 */
export async function recordCleaned(
  client: Client,
  chunk: { runId: string; chunkNo: number; month: string },
  result: { accepted: number; repaired: number; rejected: number; cleanMs: number },
): Promise<{ releasedChunk: number | null; month: MonthProgress }> {
  const { runId, chunkNo, month } = chunk;
  const progress = await client.query<{ complete: boolean }>(
    `UPDATE etl.run_month SET chunks_done = chunks_done + 1 WHERE run_id = $1 AND month = $2
     RETURNING chunks_done = chunks_total AS complete`,
    [runId, month],
  );
  const released = await client.query<{ chunk_no: number }>(
    `UPDATE etl.run SET next_chunk = next_chunk + 1 WHERE run_id = $1 AND next_chunk < chunks_total
     RETURNING next_chunk - 1 AS chunk_no`,
    [runId],
  );
  const releasedChunk = released.rows[0]?.chunk_no ?? null;
  await client.query(
    `UPDATE etl.chunk SET state = 'cleaned', accepted = $3, repaired = $4, rejected = $5, released_chunk = $6,
                          clean_ms = $7, cleaned_at = clock_timestamp()
     WHERE run_id = $1 AND chunk_no = $2`,
    [runId, chunkNo, result.accepted, result.repaired, result.rejected, releasedChunk, result.cleanMs],
  );
  return { releasedChunk, month: { complete: one(progress.rows).complete, done: false } };
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
  if (rows[0] === undefined) throw new PlatformError("CHUNK_UNKNOWN", `run ${runId} has no month ${month}.`);
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

function toRun(row: RunRow): Run {
  return {
    runId: row.run_id,
    state: row.state,
    spec: {
      rows: row.txn_rows,
      seed: row.seed,
      fromOn: row.from_on,
      toOn: row.to_on,
      dirtRate: row.dirt_rate,
      fraudRate: row.fraud_rate,
      chunkRows: row.chunk_rows,
      firstTxnId: row.first_txn_id,
    },
    windowChunks: row.window_chunks,
    chunksTotal: row.chunks_total,
    nextChunk: row.next_chunk,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

function one<T>(rows: readonly T[]): T {
  const row = rows[0];
  if (row === undefined) throw new Error("the ledger gave no row where there must be one");
  return row;
}
