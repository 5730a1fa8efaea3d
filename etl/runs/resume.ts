import type { Queryable } from "../../lib/postgres/pool.js";
import { getRun } from "../ledger/run.js";
import type { OutMessage } from "../message.js";

/**
 * Every message that an unfinished run is waiting for, rebuilt from the ledger: for when the broker lost them, or a kickoff
 * died between entering the run and sending it. Sending one that is not lost after all does no harm.
 */
export async function missingMessages(db: Queryable, runId: string): Promise<OutMessage[]> {
  const run = await getRun(db, runId);
  if (run.state === "planned") {
    return [{ kind: "plan", run: runId }];
  }
  if (run.state !== "running") {
    return [];
  }
  return [...(await unfinishedChunks(db, runId)), ...(await unfinishedMonths(db, runId))];
}

async function unfinishedChunks(db: Queryable, runId: string): Promise<OutMessage[]> {
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
  return rows.map(({ chunk_no, staged }) => ({
    kind: staged ? "clean" : "stage",
    run: runId,
    chunk: chunk_no,
  }));
}

async function unfinishedMonths(db: Queryable, runId: string): Promise<OutMessage[]> {
  const { rows } = await db.query<{ month: string }>(
    `SELECT month FROM etl.run_month WHERE run_id = $1 AND chunks_done = chunks_total AND state = 'open' ORDER BY month`,
    [runId],
  );
  return rows.map(({ month }) => ({ kind: "agg", run: runId, month }));
}
