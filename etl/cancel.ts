import { PlatformError } from "../lib/errors.js";
import { type Client, type Pool, transaction } from "../lib/postgres/pool.js";
import { quoteName } from "../lib/postgres/sql.js";
import { getRun } from "./ledger.js";
import { rollUp } from "./steps/agg.js";
import { stagingTable } from "./steps/step.js";

/** What was taken back. */
export interface Cancelled {
  readonly months: readonly string[];
  readonly rows: number;
}

interface OpenMonth {
  month: string;
  published: boolean;
  shared: boolean;
}

/**
 * Ends a run for good and takes back what it has not finished: staged rows, and its rows in months whose agg is still to come.
 * Months that it has finished stay. Waits for its steps under way; messages still in the queue then find nothing to do.
 *
 * @throws PlatformError RUN_UNKNOWN, or SPEC_INVALID when the run is done already.
 */
export async function cancelRun(pool: Pool, runId: string): Promise<Cancelled> {
  return transaction(pool, async (client) => {
    const run = await getRun(client, runId, "FOR UPDATE");
    if (run.state === "done")
      throw new PlatformError("SPEC_INVALID", `run ${runId} is done: there is nothing to cancel.`);
    if (run.state === "cancelled") return { months: [], rows: 0 };
    const months = await openMonths(client, runId);
    let rows = 0;
    await dropStaging(client, runId);
    for (const month of months) rows += await takeBack(client, runId, month);
    await client.query(
      "UPDATE etl.run SET state = 'cancelled', finished_at = clock_timestamp() WHERE run_id = $1",
      [runId],
    );
    return { months: months.map(({ month }) => month), rows };
  });
}

async function openMonths(client: Client, runId: string): Promise<OpenMonth[]> {
  // Locked in order of month, as agg and planning do, so that they wait for each other instead of deadlocking.
  await client.query(
    `SELECT FROM etl.month WHERE month IN (SELECT month FROM etl.run_month WHERE run_id = $1 AND state = 'open')
     ORDER BY month FOR UPDATE`,
    [runId],
  );
  const { rows } = await client.query<OpenMonth>(
    `SELECT rm.month,
            m.state = 'published' AS published,
            EXISTS (SELECT FROM etl.run_month other WHERE other.month = rm.month AND other.run_id <> rm.run_id) AS shared
     FROM etl.run_month rm
     JOIN etl.month m USING (month)
     WHERE rm.run_id = $1 AND rm.state = 'open'
     ORDER BY rm.month`,
    [runId],
  );
  return rows;
}

async function dropStaging(client: Client, runId: string): Promise<void> {
  const { rows } = await client.query<{ chunk_no: number }>(
    "SELECT chunk_no FROM etl.chunk WHERE run_id = $1 AND state = 'staged'",
    [runId],
  );
  for (const { chunk_no } of rows) {
    await client.query(`DROP TABLE IF EXISTS ${quoteName(stagingTable(runId, chunk_no))}`);
  }
}

/** @returns rows removed from the leaf. */
async function takeBack(client: Client, runId: string, open: OpenMonth): Promise<number> {
  const { month } = open;
  const erased = await client.query<{ rows: number }>("SELECT etl.erase_rows($1, $2) AS rows", [
    month,
    runId,
  ]);
  await client.query(
    `DELETE FROM payments.txn_reject
     WHERE run_id = $1 AND chunk_no IN (SELECT chunk_no FROM etl.chunk WHERE run_id = $1 AND month = $2)`,
    [runId, month],
  );
  await client.query("DELETE FROM etl.chunk WHERE run_id = $1 AND month = $2", [runId, month]);
  await client.query("DELETE FROM etl.run_month WHERE run_id = $1 AND month = $2", [runId, month]);
  if (open.published) {
    // Another run may have rolled up some of the rows that are gone now.
    await rollUp(client, month);
  } else if (!open.shared) {
    await client.query("SELECT etl.drop_unpublished_leaf($1)", [month]);
    await client.query("DELETE FROM etl.month WHERE month = $1", [month]);
  }
  return erased.rows[0]?.rows ?? 0;
}
