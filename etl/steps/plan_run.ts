import { transaction } from "../../lib/postgres/pool.js";
import { createBuilds } from "../build/create.js";
import { unstagedChunks } from "../ledger/chunk.js";
import { enterRunMonths } from "../ledger/month.js";
import { getRun, startRun } from "../ledger/run.js";
import { planRun } from "../plan.js";
import { requireSeed } from "../seed/state.js";
import type { Next, StepContext } from "./step.js";

/**
 * Opens a run: enters its months, makes their builds, and sends out the first window of chunks. From then on each cleaned
 * chunk sends out one more, so that never more than a window is in flight.
 */
export async function planStep(context: StepContext, runId: string): Promise<Next> {
  const run = await transaction(context.pool, async (client) => {
    const current = await getRun(client, runId, { lock: true });
    if (current.state !== "planned") {
      return current;
    }
    await requireSeed(client);
    const plan = planRun(current.spec);
    await enterRunMonths(client, runId, plan.months);
    await createBuilds(client, runId, plan.months);
    await startRun(client, runId, plan);
    context.logger.info({ run: runId, rows: current.spec.rows, chunks: plan.chunks }, "run planned");
    return getRun(client, runId);
  });
  if (run.state !== "running") {
    return [];
  }
  // On a redelivery most chunks of the first window have a ledger row.
  const chunks = await unstagedChunks(context.pool, runId, Math.min(run.windowChunks, run.chunksTotal ?? 0));
  return chunks.map((chunk) => ({ kind: "stage", run: runId, chunk }));
}
