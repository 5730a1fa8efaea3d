import {
  CHANNELS,
  CURRENCIES,
  KINDS,
  MAX_AMOUNT,
  NETWORKS,
  RESPONSE_CODES,
  STATUSES,
} from "../../lib/codes.js";
import { type Client, transaction } from "../../lib/postgres/pool.js";
import { loadSql, quoteName } from "../../lib/postgres/sql.js";
import {
  type Findings,
  forgetChunk,
  getChunk,
  getRun,
  isActive,
  type MonthProgress,
  monthProgress,
  recordCleaned,
} from "../ledger.js";
import type { OutMessage } from "../message.js";
import { chunkOf, type PlannedChunk, planRun } from "../plan.js";
import { leafTable, type Next, type StepContext, stagingTable } from "./step.js";

const HOUR_MS = 3_600_000;

/** Thrown inside the transaction to undo it: the staging table lost rows, as unlogged tables do in a crash. */
class StagingLost extends Error {}

/** Moves a staged chunk into its month's leaf and its rejects, drops the staging table, and sends out one more chunk. */
export async function cleanStep(context: StepContext, runId: string, chunkNo: number): Promise<Next> {
  const run = await getRun(context.pool, runId);
  const chunk = chunkOf(planRun(run.spec), run.spec, chunkNo);
  const { month } = chunk.month;
  try {
    const cleaned = await transaction(context.pool, (client) => cleanChunk(context, client, runId, chunk));
    return cleaned ?? (await whatFollows(context, runId, chunkNo, month));
  } catch (error) {
    if (!(error instanceof StagingLost)) throw error;
    context.logger.warn(
      { run: runId, chunk: chunkNo },
      "staging table lost its rows; the chunk is staged again",
    );
    await stageAgain(context, runId, chunkNo);
    return [{ kind: "stage", run: runId, chunk: chunkNo }];
  }
}

/** @returns undefined when the chunk had been cleaned before. */
async function cleanChunk(
  context: StepContext,
  client: Client,
  runId: string,
  chunk: PlannedChunk,
): Promise<Next | undefined> {
  const started = performance.now();
  const { chunkNo } = chunk;
  const { month } = chunk.month;
  if (!(await isActive(client, runId))) return [];
  const entry = await getChunk(client, runId, chunkNo, "FOR UPDATE");
  // A clean message without a staged chunk: forged, or the chunk was sent back to stage meanwhile. Staging it is right.
  if (entry === undefined) return [{ kind: "stage", run: runId, chunk: chunkNo }];
  if (entry.state === "cleaned") return undefined;

  const counts = await moveRows(client, runId, chunk, leafTable(month));
  await context.reached?.("clean: rows moved");
  await client.query(`DROP TABLE ${quoteName(stagingTable(runId, chunkNo))}`);
  await context.reached?.("clean: staging dropped");
  const cleanMs = Math.round(performance.now() - started);
  const { releasedChunk, month: progress } = await recordCleaned(
    client,
    { runId, chunkNo, month },
    { ...counts, cleanMs },
  );
  context.logger.info({ run: runId, chunk: chunkNo, ...counts, ms: cleanMs }, "chunk cleaned");
  context.report?.({ step: "clean", ...counts });
  return followers(runId, month, releasedChunk, progress);
}

/** Moves a staged chunk's rows into a leaf and its rejects. */
export async function moveRows(
  client: Client,
  runId: string,
  chunk: PlannedChunk,
  leaf: string,
): Promise<{ accepted: number } & Findings> {
  const { chunkNo, month } = chunk;
  const staged = chunk.toRow - chunk.fromRow;
  const staging = stagingTable(runId, chunkNo);
  const present = await client.query<{ present: boolean }>("SELECT to_regclass($1) IS NOT NULL AS present", [
    staging,
  ]);
  if (!present.rows[0]?.present) throw new StagingLost();
  // The few suspects fit, and with gaps among the accounts a hash of them.
  await client.query("SET LOCAL work_mem = '64MB'");
  const endMs = month.startMs + (month.cumulative.length - 1) * HOUR_MS;
  const cleaned = await client.query<{ suspects: number; passed: number } & Findings>(
    loadSql("clean_chunk", { staging, leaf }),
    [
      runId,
      chunkNo,
      new Date(),
      new Date(month.startMs),
      new Date(endMs),
      MAX_AMOUNT,
      CURRENCIES,
      KINDS,
      CHANNELS,
      NETWORKS,
      STATUSES,
      RESPONSE_CODES,
      chunk.firstTxnId,
      staged,
    ],
  );
  const [row] = cleaned.rows;
  if (row === undefined) throw new Error("clean_chunk.sql gives one row");
  const { suspects, passed, ...found } = row;
  const copied = await client.query(loadSql("copy_staged", { staging, leaf }));
  const plain = copied.rowCount ?? 0;
  if (plain + suspects !== staged) throw new StagingLost();
  return { accepted: plain + passed, ...found };
}

async function stageAgain(context: StepContext, runId: string, chunkNo: number): Promise<void> {
  await transaction(context.pool, async (client) => {
    const entry = await getChunk(client, runId, chunkNo, "FOR UPDATE");
    if (entry?.state !== "staged") return;
    await client.query(`DROP TABLE IF EXISTS ${quoteName(stagingTable(runId, chunkNo))}`);
    await forgetChunk(client, runId, chunkNo);
  });
}

/** For a redelivery: what this chunk's completion was to send, as far as nobody has acted on it yet. */
async function whatFollows(
  context: StepContext,
  runId: string,
  chunkNo: number,
  month: string,
): Promise<Next> {
  const entry = await getChunk(context.pool, runId, chunkNo);
  const released = entry?.releasedChunk ?? null;
  const taken = released === null || (await getChunk(context.pool, runId, released)) !== undefined;
  return followers(runId, month, taken ? null : released, await monthProgress(context.pool, runId, month));
}

function followers(runId: string, month: string, released: number | null, progress: MonthProgress): Next {
  const next: OutMessage[] = [];
  if (released !== null) next.push({ kind: "stage", run: runId, chunk: released });
  if (progress.complete && !progress.done) next.push({ kind: "agg", run: runId, month });
  return next;
}
