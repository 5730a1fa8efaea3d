import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { dropBuild } from "../build/create.js";
import { EtlError } from "../errors.js";
import { openMonths, removeRunMonth } from "../ledger/month.js";
import { endAsCancelled, getRun } from "../ledger/run.js";

/** What was taken back. */
export interface Cancelled {
  readonly months: readonly string[];
  readonly rows: number;
}

/**
 * Ends a run for good and takes back the months that it has not finished: their builds and rejects. Finished months stay. It
 * waits for the run's steps under way; messages still in the queue then find nothing to do.
 *
 * @throws PlatformError RUN_UNKNOWN, or RUN_OVER when the run is done already.
 */
export async function cancelRun(pool: Pool, runId: string): Promise<Cancelled> {
  return transaction(pool, async (client) => {
    const run = await getRun(client, runId, { lock: true });
    if (run.state === "done") {
      throw new EtlError("RUN_OVER", `run ${runId} is done: there is nothing to cancel.`);
    }
    if (run.state === "cancelled") {
      return { months: [], rows: 0 };
    }
    const months = await openMonths(client, runId);
    let rows = 0;
    for (const month of months) {
      await dropBuild(client, runId, month);
      rows += await removeRunMonth(client, runId, month);
    }
    await endAsCancelled(client, runId);
    return { months, rows };
  });
}
