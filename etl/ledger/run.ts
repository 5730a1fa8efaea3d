import { one } from "../../lib/postgres/one.js";
import type { Client, Queryable } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import type { Plan } from "../plan.js";
import { type FraudDifficulty, GENERATOR_VERSION, KNOWN_VERSIONS, type PlannedSpec } from "../spec.js";

/**
 * The ledger: this folder holds all statements on the tables of schema etl. What changes state takes a Client, because it
 * belongs in the transaction that does the work.
 */

/** A row that is read with `lock` is ours until the transaction ends. */
export interface Reading {
  readonly lock?: boolean;
}

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

export interface RunRow {
  run_id: string;
  state: RunState;
  txn_rows: number;
  seed: number;
  from_on: string;
  to_on: string;
  dirt_rate: number;
  fraud_rate: number;
  fraud_difficulty: FraudDifficulty;
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

/** @throws PlatformError RUN_UNKNOWN, GENERATOR_MISMATCH */
export async function getRun(db: Queryable, runId: string, reading: Reading = {}): Promise<Run> {
  const { rows } = await db.query<RunRow>(
    `SELECT * FROM etl.run WHERE run_id = $1 ${reading.lock ? "FOR UPDATE" : ""}`,
    [runId],
  );
  if (rows[0] === undefined) {
    throw unknownRun(runId);
  }
  if (!KNOWN_VERSIONS.includes(rows[0].generator_version)) {
    const versions = `run ${runId} was made by generator version ${rows[0].generator_version}, this is ${GENERATOR_VERSION}.`;
    throw new EtlError("GENERATOR_MISMATCH", versions, {
      hint: "Finish or verify it with the release that began it.",
    });
  }
  return toRun(rows[0]);
}

export function unknownRun(runId: string): EtlError {
  return new EtlError("RUN_UNKNOWN", `there is no run ${runId}.`, { hint: "List them: payments status." });
}

/**
 * Whether a run may be worked on. The lock lasts for the transaction: a cancel waits for the steps under way, and later steps
 * see the cancelled run.
 */
export async function isActive(client: Client, runId: string): Promise<boolean> {
  const { rows } = await client.query<{ state: RunState }>(
    "SELECT state FROM etl.run WHERE run_id = $1 FOR KEY SHARE",
    [runId],
  );
  return rows[0]?.state === "running";
}

/** The database of the ledger, and when it entered the run; null when it has none of that id. */
export async function runIdentity(
  db: Queryable,
  runId: string,
): Promise<{ database: string; createdAt: string | null }> {
  const { rows } = await db.query<{ database: string; created_at: string | null }>(
    `SELECT current_database() AS database,
            (SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM etl.run WHERE run_id = $1)
              AS created_at`,
    [runId],
  );
  const { database, created_at } = one(rows);
  return { database, createdAt: created_at };
}

/** Enters a planned run as running, and its first window of chunks as sent out. A run without chunks is done at once. */
export async function startRun(client: Client, runId: string, plan: Plan): Promise<void> {
  await client.query(
    `UPDATE etl.run
     SET state = CASE WHEN $2 = 0 THEN 'done' ELSE 'running' END, chunks_total = $2, months_total = $3,
         next_chunk = least($2, window_chunks), started_at = clock_timestamp(),
         finished_at = CASE WHEN $2 = 0 THEN clock_timestamp() END
     WHERE run_id = $1`,
    [runId, plan.chunks, plan.months.length],
  );
}

export async function endAsCancelled(client: Client, runId: string): Promise<void> {
  await client.query(
    "UPDATE etl.run SET state = 'cancelled', finished_at = clock_timestamp() WHERE run_id = $1",
    [runId],
  );
}

export async function listRuns(db: Queryable): Promise<Run[]> {
  const { rows } = await db.query<RunRow>("SELECT * FROM etl.run ORDER BY first_txn_id");
  return rows.map(toRun);
}

/** @returns undefined when none is. @throws PlatformError GENERATOR_MISMATCH */
export async function lastDone(db: Queryable): Promise<Run | undefined> {
  const { rows } = await db.query<{ run_id: string }>(
    "SELECT run_id FROM etl.run WHERE state = 'done' ORDER BY first_txn_id DESC LIMIT 1",
  );
  return rows[0] && getRun(db, rows[0].run_id);
}

export function toRun(row: RunRow): Run {
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
      fraudDifficulty: row.fraud_difficulty,
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
