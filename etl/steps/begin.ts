import { adoptRun, createRun } from "../ledger/new_run.js";
import type { Spec } from "../spec.js";
import type { Next, StepContext } from "./step.js";

export interface BeginRequest {
  readonly spec: Spec;
  readonly windowChunks: number;
  /** The message may have been tried before. */
  readonly again: boolean;
}

/** Enters the run that a bare `stage` message asks for. A message that was tried before gets the run of that try. */
export async function beginStep(context: StepContext, request: BeginRequest): Promise<Next> {
  const { spec, windowChunks, again } = request;
  const known = again ? await adoptRun(context.pool) : undefined;
  const run = known ?? (await createRun(context.pool, spec, windowChunks, { begunByMessage: true }));
  context.logger.info({ run: run.runId, rows: run.spec.rows }, "run begun by a bare stage message");
  return [{ kind: "plan", run: run.runId }];
}
