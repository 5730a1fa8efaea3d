import { one } from "../../lib/postgres/one.js";
import { type Client, type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import { GENERATOR_VERSION, type PlannedSpec, type Spec } from "../spec.js";

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
 * adopted least often, so that several redelivered messages find a run each. After 15 minutes a run is nobody's any more, but for
 * one that is still to be planned: its first message may be what an outage of the broker keeps from being sent.
 */
export async function adoptRun(db: Queryable): Promise<Run | undefined> {
  const { rows } = await db.query<RunRow>(
    `UPDATE etl.run SET redeliveries = redeliveries + 1
     WHERE run_id = (SELECT run_id FROM etl.run
                     WHERE begun_by_message
                       AND (state = 'planned' OR created_at > now() - interval '15 minutes')
                     ORDER BY redeliveries, created_at LIMIT 1)
     RETURNING *`,
  );
  return rows[0] && toRun(rows[0]);
}

/** @throws PlatformError RUN_UNKNOWN */
export async function getRun(db: Queryable, runId: string, lock: "" | "FOR UPDATE" = ""): Promise<Run> {
  const { rows } = await db.query<RunRow>(`SELECT * FROM etl.run WHERE run_id = $1 ${lock}`, [runId]);
  if (rows[0] === undefined) {
    throw new EtlError("RUN_UNKNOWN", `there is no run ${runId}.`, {
      hint: "List them: payments status.",
    });
  }
  if (rows[0].generator_version !== GENERATOR_VERSION) {
    const versions = `run ${runId} was made by generator version ${rows[0].generator_version}, this is ${GENERATOR_VERSION}.`;
    throw new EtlError("SPEC_INVALID", versions, {
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
