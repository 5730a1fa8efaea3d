import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import { getRun } from "../ledger/run.js";

/** What was taken back. */
export interface Cancelled {
  readonly months: readonly string[];
  readonly rows: number;
}

/**
 * Ends a run for good and takes back what it has not finished: what it builds in months whose agg is still to come, and the
 * rejects of those months. Months that it has finished stay. Waits for its steps under way; messages still in the queue then
 * find nothing to do.
 *
 * @throws PlatformError RUN_UNKNOWN, or SPEC_INVALID when the run is done already.
 */
export async function cancelRun(pool: Pool, runId: string): Promise<Cancelled> {
  return transaction(pool, async (client) => {
    const run = await getRun(client, runId, "FOR UPDATE");
    if (run.state === "done") {
      throw new EtlError("SPEC_INVALID", `run ${runId} is done: there is nothing to cancel.`);
    }
    if (run.state === "cancelled") {
      return { months: [], rows: 0 };
    }
    const { rows: open } = await client.query<{ month: string }>(
      "SELECT month FROM etl.run_month WHERE run_id = $1 AND state = 'open' ORDER BY month",
      [runId],
    );
    let rows = 0;
    for (const { month } of open) {
      rows += await takeBack(client, runId, month);
    }
    await client.query(
      "UPDATE etl.run SET state = 'cancelled', finished_at = clock_timestamp() WHERE run_id = $1",
      [runId],
    );
    return { months: open.map(({ month }) => month), rows };
  });
}

/** @returns rows that were staged. */
async function takeBack(client: Client, runId: string, month: string): Promise<number> {
  await client.query("SELECT etl.drop_build($1, $2)", [runId, month]);
  await client.query(
    `DELETE FROM payments.txn_reject
     WHERE run_id = $1 AND chunk_no IN (SELECT chunk_no FROM etl.chunk WHERE run_id = $1 AND month = $2)`,
    [runId, month],
  );
  const { rows } = await client.query<{ txn_rows: number }>(
    "DELETE FROM etl.chunk WHERE run_id = $1 AND month = $2 RETURNING txn_rows",
    [runId, month],
  );
  await client.query("DELETE FROM etl.run_month WHERE run_id = $1 AND month = $2", [runId, month]);
  return rows.reduce((sum, row) => sum + row.txn_rows, 0);
}
