import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import { type Client, transaction } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { COPY_COLUMNS } from "../generate/encoder.js";
import type { AnswerKey } from "../generate/generator.js";
import { enterChunk, getChunk, recordStaged } from "../ledger/chunk.js";
import { getRun, isActive } from "../ledger/run.js";
import { chunkOf, planRun } from "../plan.js";
import type { PlannedSpec } from "../spec.js";
import { buildTables, type Next, type StepContext } from "./step.js";

/** Generates a chunk and copies it into what its month is built in; rows, answer key and ledger row come together. */
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
    const copied = await copyChunk(context, client, buildTables(runId, month.month).rows, run.spec, chunkNo);
    if (copied.rows !== rows) {
      throw new EtlError(
        "CHUNK_COUNT_MISMATCH",
        `run ${runId} chunk ${chunkNo}: copied ${copied.rows} rows, planned ${rows}.`,
      );
    }
    const stageMs = Math.round(performance.now() - started);
    await recordStaged(client, runId, chunkNo, copied.key, { copyBytes: copied.bytes, stageMs });
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

/** Generates a chunk into a table of the shape staging.txn_shape. */
export async function copyChunk(
  context: StepContext,
  client: Client,
  table: string,
  spec: PlannedSpec,
  chunkNo: number,
): Promise<{ rows: number; bytes: number; key: AnswerKey }> {
  await context.reached?.("stage: before copy");
  let key: AnswerKey | undefined;
  let bytes = 0;
  const source = context.source.stream(spec, chunkNo, (answer) => {
    key = answer;
  });
  const counted = async function* () {
    for await (const buffer of source) {
      bytes += buffer.length;
      yield buffer;
      await context.reached?.("stage: in copy");
    }
  };
  const columns = COPY_COLUMNS.join(", ");
  const copy = client.query(copyFrom(`COPY ${quoteName(table)} (${columns}) FROM STDIN (FORMAT binary)`));
  await pipeline(counted, copy);
  await context.reached?.("stage: after copy");
  if (key === undefined) {
    throw new Error("the generator ended without an answer key");
  }
  return { rows: copy.rowCount, bytes, key };
}
