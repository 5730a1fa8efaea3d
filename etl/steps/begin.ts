import { adoptRun, createRun } from "../ledger/run.js";
import type { Spec } from "../spec.js";
import type { Next, StepContext } from "./step.js";

/**
 * Enters the run that a bare `stage` message asks for; one that was tried before gets the run that the
 * earlier try entered.
 */
export async function beginStep(
  context: StepContext,
  spec: Spec,
  windowChunks: number,
  again: boolean,
): Promise<Next> {
  const known = again ? await adoptRun(context.pool) : undefined;
  const run = known ?? (await createRun(context.pool, spec, windowChunks, true));
  context.logger.info({ run: run.runId, rows: run.spec.rows }, "run begun by a bare stage message");
  return [{ kind: "plan", run: run.runId }];
}
