import { type Client, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { isActive, monthProgress, recordAggregated } from "../ledger.js";
import { leafTable, type Next, type StepContext } from "./step.js";

/** Tables payments.agg_<name>, filled by db/queries/rollup_<name>.sql. */
export const ROLLUPS = ["merchant_day", "network_hour"] as const;

/**
 * Ends a run's month: rolls it up, and if its leaf stands beside the parent, indexes and attaches it. All in one
 * transaction, so readers get rows, indexes and aggregates of the month together.
 */
export async function aggStep(context: StepContext, runId: string, month: string): Promise<Next> {
  await transaction(context.pool, async (client) => {
    const started = performance.now();
    if (!(await isActive(client, runId))) return;
    const progress = await monthProgress(client, runId, month, "FOR UPDATE");
    // A message before its time: the month's last chunk will send another.
    if (progress.done || !progress.complete) return;

    // One agg of a month at a time: the second of two runs must see what the first has attached and rolled up.
    const state = await client.query<{ state: string }>(
      "SELECT state FROM etl.month WHERE month = $1 FOR UPDATE",
      [month],
    );
    await rollUp(client, month);
    await context.reached?.("agg: rolled up");
    if (state.rows[0]?.state === "building") await publish(client, month);
    await context.reached?.("agg: published month");

    const aggMs = Math.round(performance.now() - started);
    const runDone = await recordAggregated(client, runId, month, aggMs);
    context.logger.info({ run: runId, month, ms: aggMs }, "month aggregated");
    if (runDone) context.logger.info({ run: runId }, "run done");
  });
  return [];
}

/** Rebuilds the roll-ups of one month from its leaf. */
export async function rollUp(client: Client, month: string): Promise<void> {
  // Up to a few hundred thousand groups; the default work_mem would spill them.
  await client.query("SET LOCAL work_mem = '128MB'");
  for (const table of ROLLUPS) {
    await client.query(`DELETE FROM payments.agg_${table} WHERE month = $1`, [month]);
    await client.query(
      `INSERT INTO payments.agg_${table} ${loadSql(`rollup_${table}`, { leaf: leafTable(month) })}`,
      [month],
    );
  }
}

async function publish(client: Client, month: string): Promise<void> {
  // Sorts the index keys of millions of rows in memory; granted to this transaction only.
  await client.query("SET LOCAL maintenance_work_mem = '256MB'");
  await client.query("SELECT etl.publish_leaf($1)", [month]);
  await client.query(
    "UPDATE etl.month SET state = 'published', published_at = clock_timestamp() WHERE month = $1",
    [month],
  );
}
