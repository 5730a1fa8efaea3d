import { ACCEPTED } from "../../lib/domain/codes.js";
import { type Client, transaction } from "../../lib/postgres/pool.js";
import { getRun, type Run } from "../ledger/run.js";
import type { OutMessage } from "../message.js";
import { type Plan, type PlannedMonth, planRun, timeOf } from "../plan.js";
import { requireSeed } from "../seed/state.js";
import type { Next, StepContext } from "./step.js";

/**
 * Opens a run: enters its months, makes what each is built in, and sends out the first window of chunks. From then on each
 * cleaned chunk sends out one more, so that never more than a window is in flight.
 */
export async function planStep(context: StepContext, runId: string): Promise<Next> {
  const run = await transaction(context.pool, async (client) => {
    const current = await getRun(client, runId, "FOR UPDATE");
    if (current.state !== "planned") {
      return current;
    }
    await requireSeed(client);
    const plan = planRun(current.spec);
    await enterMonths(client, runId, plan);
    await createBuilds(client, runId, plan.months);
    await client.query(
      `UPDATE etl.run
       SET state = CASE WHEN $2 = 0 THEN 'done' ELSE 'running' END, chunks_total = $2, months_total = $3,
           next_chunk = least($2, window_chunks), started_at = clock_timestamp(),
           finished_at = CASE WHEN $2 = 0 THEN clock_timestamp() END
       WHERE run_id = $1`,
      [runId, plan.chunks, plan.months.length],
    );
    context.logger.info({ run: runId, rows: current.spec.rows, chunks: plan.chunks }, "run planned");
    return getRun(client, runId);
  });
  return unstagedChunks(context, run);
}

/** Chunks of the first window that have no ledger row; on a redelivery most of them will have one. */
async function unstagedChunks(context: StepContext, run: Run): Promise<Next> {
  if (run.state !== "running") {
    return [];
  }
  const { rows } = await context.pool.query<{ chunk_no: number }>(
    `SELECT n AS chunk_no FROM generate_series(0, $2::integer - 1) AS n
     WHERE NOT EXISTS (SELECT FROM etl.chunk WHERE run_id = $1 AND chunk_no = n)
     ORDER BY n`,
    [run.runId, Math.min(run.windowChunks, run.chunksTotal ?? 0)],
  );
  return rows.map((row): OutMessage => ({ kind: "stage", run: run.runId, chunk: row.chunk_no }));
}

async function enterMonths(client: Client, runId: string, plan: Plan): Promise<void> {
  await client.query(
    `INSERT INTO etl.run_month (run_id, month, txn_rows, chunks_total)
     SELECT $1, month, txn_rows, chunks FROM unnest($2::date[], $3::bigint[], $4::integer[]) AS m (month, txn_rows, chunks)`,
    [
      runId,
      plan.months.map((month) => month.month),
      plan.months.map((month) => month.rows),
      plan.months.map((month) => month.chunks),
    ],
  );
}

/** Makes what a run's months are built in, with the rule that tells the plainly right rows from the suspects. */
export async function createBuilds(
  client: Client,
  runId: string,
  months: readonly PlannedMonth[],
): Promise<void> {
  const times = months.map(timeOf);
  await client.query("SELECT etl.create_builds($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", [
    runId,
    months.map(({ month }) => month),
    times.map(({ opens }) => opens),
    times.map(({ closes }) => closes),
    ...ACCEPTED,
  ]);
}
