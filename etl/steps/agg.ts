import { transaction } from "../../lib/postgres/pool.js";
import { ofRun } from "../build/drift.js";
import { appendBuild, publishBuild } from "../build/publish.js";
import { enterMonth, monthProgress, recordAggregated } from "../ledger/month.js";
import { isActive } from "../ledger/run.js";
import type { Next, StepContext } from "./step.js";

/**
 * Ends a run's month. The first run that ends a month publishes it: its build becomes the month's leaf. A later run adds its
 * rows to that leaf. All is one transaction, so readers get rows, indexes and aggregates together.
 *
 * @throws PlatformError CHUNK_COUNT_MISMATCH when the build does not hold what its chunks accepted, LEAF_CHANGED
 */
export async function aggStep(context: StepContext, runId: string, month: string): Promise<Next> {
  await transaction(context.pool, async (client) => {
    const started = performance.now();
    if (!(await isActive(client, runId))) {
      return;
    }
    const progress = await monthProgress(client, runId, month, { lock: true });
    // A message before its time: the month's last chunk will send another.
    if (progress.done || !progress.complete) {
      return;
    }

    // One agg of a month at a time: the second of two runs must see what the first has attached and rolled up.
    const publish = (await enterMonth(client, month)) ? publishBuild : appendBuild;
    await ofRun(runId, () => publish(client, { runId, month, reached: context.reached }));

    const aggMs = Math.round(performance.now() - started);
    const runDone = await recordAggregated(client, { runId, month, aggMs });
    context.logger.info({ run: runId, month, ms: aggMs }, "month aggregated");
    if (runDone) {
      context.logger.info({ run: runId }, "run done");
    }
  });
  return [];
}
