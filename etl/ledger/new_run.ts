import { one } from "../../lib/postgres/one.js";
import { type Client, type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import { GENERATOR_VERSION, type Spec } from "../spec.js";
import { type Run, type RunRow, toRun } from "./run.js";

/** How runs come into the ledger. */

/**
 * Enters a run: gives it the next id and a block of transaction ids that no other run has.
 *
 * @param options.begunByMessage for a run that a bare `stage` message began, see `adoptRun`.
 */
export async function createRun(
  pool: Pool,
  spec: Spec,
  windowChunks: number,
  options: { readonly begunByMessage?: boolean } = {},
): Promise<Run> {
  return transaction(pool, async (client) => {
    await lockRuns(client);
    return insertRun(client, { spec, windowChunks, begunByMessage: options.begunByMessage ?? false });
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
    return rows > 0
      ? insertRun(client, { spec: { ...spec, rows }, windowChunks, begunByMessage: false })
      : undefined;
  });
}

/** Two runs entered at the same time must not get the same block, nor fill the same gap. Readers do not wait. */
async function lockRuns(client: Client): Promise<void> {
  await client.query("LOCK TABLE etl.run IN SHARE ROW EXCLUSIVE MODE");
}

interface NewRun {
  readonly spec: Spec;
  readonly windowChunks: number;
  readonly begunByMessage: boolean;
}

async function insertRun(client: Client, { spec, windowChunks, begunByMessage }: NewRun): Promise<Run> {
  const { rows } = await client.query<RunRow>(
    `INSERT INTO etl.run (run_id, state, txn_rows, seed, from_on, to_on, dirt_rate, fraud_rate, fraud_difficulty, chunk_rows,
                          first_txn_id, generator_version, window_chunks, begun_by_message)
     SELECT 'r' || coalesce(max(substr(run_id, 2)::integer), 0) + 1, 'planned', $1, $2, $3, $4, $5, $6, $7, $8,
            coalesce(max(first_txn_id + greatest(txn_rows, 1)), 1), $9, $10, $11
     FROM etl.run
     RETURNING *`,
    [
      spec.rows,
      spec.seed,
      spec.fromOn,
      spec.toOn,
      spec.dirtRate,
      spec.fraudRate,
      spec.fraudDifficulty,
      spec.chunkRows,
      GENERATOR_VERSION,
      windowChunks,
      begunByMessage,
    ],
  );
  return toRun(one(rows));
}

/**
 * Finds the run that an earlier delivery of a bare `stage` message entered, if there is one. The least often adopted run comes
 * first, so that several redelivered messages find a run each. A run is found for 15 minutes; a run that is still to be
 * planned is found without limit, because an outage of the broker may have kept its first message from being sent.
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

/** Rows asked for by all runs together, of cancelled ones what they kept: what STAGE_TARGET_TXN is measured against. */
export async function requestedRows(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    `SELECT coalesce(sum(CASE WHEN state = 'cancelled' THEN kept ELSE txn_rows END), 0)::bigint AS total
     FROM etl.run r
     CROSS JOIN LATERAL (SELECT sum(txn_rows) AS kept FROM etl.run_month WHERE run_id = r.run_id) m`,
  );
  return one(rows).total;
}
