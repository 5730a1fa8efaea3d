import { type Client, transaction } from "../../lib/postgres/pool.js";
import { ofRun } from "../build/drift.js";
import { judgeSuspects } from "../build/judge.js";
import { type Chunk, getChunk, recordCleaned } from "../ledger/chunk.js";
import { type MonthProgress, monthProgress } from "../ledger/month.js";
import { getRun, isActive } from "../ledger/run.js";
import type { OutMessage } from "../message.js";
import { chunkOf, type PlannedChunk, planRun } from "../plan.js";
import type { Next, StepContext } from "./step.js";

/** Judges the suspects of a staged chunk: into the leaf that is being built, or into txn_reject. Sends out one more chunk. */
export async function cleanStep(context: StepContext, runId: string, chunkNo: number): Promise<Next> {
  const run = await getRun(context.pool, runId);
  const chunk = chunkOf(planRun(run.spec), run.spec, chunkNo);
  return transaction(context.pool, (client) => cleanChunk(context, client, runId, chunk));
}

async function cleanChunk(
  context: StepContext,
  client: Client,
  runId: string,
  chunk: PlannedChunk,
): Promise<Next> {
  const started = performance.now();
  const { chunkNo } = chunk;
  const { month } = chunk.month;
  if (!(await isActive(client, runId))) {
    return [];
  }
  const entry = await getChunk(client, runId, chunkNo, { lock: true });
  // A clean message without a staged chunk: forged, or lost with a restore to an earlier time. Staging it is right.
  if (entry === undefined) {
    return [{ kind: "stage", run: runId, chunk: chunkNo }];
  }
  if (entry.state === "cleaned") {
    return whatFollows(client, runId, month, entry);
  }

  const counts = await ofRun(runId, () => judgeSuspects(client, runId, chunk));
  await context.reached?.("clean: suspects judged");
  const cleanMs = Math.round(performance.now() - started);
  const { releasedChunk, month: progress } = await recordCleaned(client, {
    runId,
    chunkNo,
    month,
    ...counts,
    cleanMs,
  });
  context.logger.info({ run: runId, chunk: chunkNo, ...counts, ms: cleanMs }, "chunk cleaned");
  context.report?.({ step: "clean", ...counts });
  return followers({ runId, month, releasedChunk }, progress);
}

/** For a redelivery: what this chunk's completion was to send, as far as nobody has acted on it yet. */
async function whatFollows(client: Client, runId: string, month: string, cleaned: Chunk): Promise<Next> {
  const released = cleaned.releasedChunk;
  const taken = released === null || (await getChunk(client, runId, released)) !== undefined;
  const releasedChunk = taken ? null : released;
  return followers({ runId, month, releasedChunk }, await monthProgress(client, runId, month));
}

function followers(
  { runId, month, releasedChunk }: { runId: string; month: string; releasedChunk: number | null },
  progress: MonthProgress,
): Next {
  const next: OutMessage[] = [];
  if (releasedChunk !== null) {
    next.push({ kind: "stage", run: runId, chunk: releasedChunk });
  }
  if (progress.complete && !progress.done) {
    next.push({ kind: "agg", run: runId, month });
  }
  return next;
}
