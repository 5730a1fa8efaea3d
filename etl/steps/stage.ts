import { transaction } from "../../lib/postgres/pool.js";
import { copyChunk } from "../build/copy.js";
import { ofRun } from "../build/drift.js";
import { buildTables } from "../build/names.js";
import { EtlError } from "../errors.js";
import { enterChunk, getChunk, recordStaged } from "../ledger/chunk.js";
import { getRun, isActive } from "../ledger/run.js";
import { chunkOf, planRun } from "../plan.js";
import type { Next, StepContext } from "./step.js";

/** Generates a chunk and copies it into its month's build; rows, answer key and ledger row come together. */
export async function stageStep(context: StepContext, runId: string, chunkNo: number): Promise<Next> {
  const started = performance.now();
  const run = await getRun(context.pool, runId);
  // Nothing of a run may be loaded before its months are entered; planning sends this chunk out again in its turn.
  if (run.state === "planned") {
    return [{ kind: "plan", run: runId }];
  }
  const chunk = chunkOf(planRun(run.spec), run.spec, chunkNo);
  const rows = chunk.toRow - chunk.fromRow;
  const entered = await transaction(context.pool, async (client) => {
    if (!(await isActive(client, runId))) {
      return false;
    }
    const { month, firstTxnId } = chunk;
    const entry = { runId, chunkNo, month: month.month, firstTxnId, rows, worker: context.worker };
    if (!(await enterChunk(client, entry))) {
      return false;
    }
    const { source, reached } = context;
    const table = buildTables(runId, month.month).rows;
    const copied = await ofRun(runId, () =>
      copyChunk(client, { table, spec: run.spec, chunkNo, source, reached }),
    );
    if (copied.rows !== rows) {
      throw new EtlError(
        "CHUNK_COUNT_MISMATCH",
        `run ${runId} chunk ${chunkNo}: copied ${copied.rows} rows, planned ${rows}.`,
      );
    }
    const stageMs = Math.round(performance.now() - started);
    await recordStaged(client, { runId, chunkNo, key: copied.key, copyBytes: copied.bytes, stageMs });
    context.logger.info({ run: runId, chunk: chunkNo, rows, ms: stageMs }, "chunk staged");
    context.report?.({ step: "stage", rows, copyBytes: copied.bytes });
    return true;
  });
  if (entered) {
    return [{ kind: "clean", run: runId, chunk: chunkNo }];
  }
  // Staged before: only if it has not been cleaned yet may the message that follows have been lost.
  const known = await getChunk(context.pool, runId, chunkNo);
  return known?.state === "staged" ? [{ kind: "clean", run: runId, chunk: chunkNo }] : [];
}
