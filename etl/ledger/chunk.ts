import { one } from "../../lib/postgres/one.js";
import type { Client, Queryable } from "../../lib/postgres/pool.js";
import type { AnswerKey } from "../generate/generator.js";
import type { MonthProgress } from "./month.js";
import type { Reading } from "./run.js";

export interface Chunk {
  readonly state: "staged" | "cleaned";
  readonly rows: number;
  readonly releasedChunk: number | null;
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

export interface StagedChunk {
  readonly runId: string;
  readonly chunkNo: number;
  readonly key: AnswerKey;
  readonly copyBytes: number;
  readonly stageMs: number;
}

/** Completes a chunk's entry with what the generator says it holds. */
export async function recordStaged(
  client: Client,
  { runId, chunkNo, key, copyBytes, stageMs }: StagedChunk,
): Promise<void> {
  await client.query(
    `UPDATE etl.chunk SET accepted_key = $3, digest_a = $4, digest_b = $5, copy_bytes = $6, stage_ms = $7,
                          staged_at = clock_timestamp()
     WHERE run_id = $1 AND chunk_no = $2`,
    [runId, chunkNo, key.accepted, key.digestA, key.digestB, copyBytes, stageMs],
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
  reading: Reading = {},
): Promise<Chunk | undefined> {
  const { rows } = await db.query<{ state: Chunk["state"]; txn_rows: number; released_chunk: number | null }>(
    `SELECT state, txn_rows, released_chunk FROM etl.chunk WHERE run_id = $1 AND chunk_no = $2
     ${reading.lock ? "FOR UPDATE" : ""}`,
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

export interface CleanedChunk {
  readonly runId: string;
  readonly chunkNo: number;
  readonly month: string;
  readonly accepted: number;
  readonly repaired: number;
  readonly rejected: number;
  readonly cleanMs: number;
}

/**
 * Enters a chunk as cleaned, counts it towards its month and sends out the next chunk in its place. The rows of month and
 * run are locked from here to the commit, so this comes last in the transaction.
 */
export async function recordCleaned(
  client: Client,
  chunk: CleanedChunk,
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
    [runId, chunkNo, chunk.accepted, chunk.repaired, chunk.rejected, releasedChunk, chunk.cleanMs],
  );
  return { releasedChunk, month: { complete: one(progress.rows).complete, done: false } };
}

/** Which of a run's first `count` chunks have no entry. */
export async function unstagedChunks(db: Queryable, runId: string, count: number): Promise<number[]> {
  const { rows } = await db.query<{ chunk_no: number }>(
    `SELECT n AS chunk_no FROM generate_series(0, $2::integer - 1) AS n
     WHERE NOT EXISTS (SELECT FROM etl.chunk WHERE run_id = $1 AND chunk_no = n)
     ORDER BY n`,
    [runId, count],
  );
  return rows.map((row) => row.chunk_no);
}

/** Chunks that were sent out and are not cleaned. */
export async function unfinishedChunks(
  db: Queryable,
  runId: string,
): Promise<{ chunkNo: number; staged: boolean }[]> {
  // One statement, so that a chunk cleaned meanwhile and the chunk it released are seen together or not at all.
  const { rows } = await db.query<{ chunk_no: number; staged: boolean }>(
    `SELECT n AS chunk_no, c.state IS NOT NULL AS staged
     FROM etl.run r
     CROSS JOIN LATERAL generate_series(0, r.next_chunk - 1) AS n
     LEFT JOIN etl.chunk c ON c.run_id = r.run_id AND c.chunk_no = n
     WHERE r.run_id = $1 AND c.state IS DISTINCT FROM 'cleaned'
     ORDER BY n`,
    [runId],
  );
  return rows.map(({ chunk_no, staged }) => ({ chunkNo: chunk_no, staged }));
}
