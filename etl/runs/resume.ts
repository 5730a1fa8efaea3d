import type { Queryable } from "../../lib/postgres/pool.js";
import { unfinishedChunks } from "../ledger/chunk.js";
import { completeMonths } from "../ledger/month.js";
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
  const chunks = await unfinishedChunks(db, runId);
  const months = await completeMonths(db, runId);
  return [
    ...chunks.map(({ chunkNo, staged }): OutMessage => {
      return { kind: staged ? "clean" : "stage", run: runId, chunk: chunkNo };
    }),
    ...months.map((month): OutMessage => ({ kind: "agg", run: runId, month })),
  ];
}
