import { codeOf, messageOf } from "../../lib/errors.js";
import { type Client, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { acceptedRows, enterMonth, monthProgress, recordAggregated } from "../ledger/month.js";
import { isActive } from "../ledger/run.js";
import { requireStanding } from "./leaf.js";
import { buildTables, leafTable, type Next, type StepContext } from "./step.js";

/** A table of that name, a partition of that range, rows of that range in a default partition. */
const PLACE_TAKEN: ReadonlySet<string> = new Set(["42P07", "42P17", "23514"]);

/** Tables payments.agg_<name>, filled by db/queries/rollup_<name>.sql, and their columns in its order. */
export const ROLLUPS = {
  merchant_day:
    "month, day, merchant_id, currency, txn_count, approved_count, refund_count, fraud_count, amount, approved_amount, refund_amount",
  network_hour: "month, hour, network, channel, currency, txn_count, approved_count, fraud_count, amount",
} as const;

/**
 * Ends a run's month. Of a month that nobody has published the build becomes the leaf: rolled up, indexed, attached. To one
 * that stands already its rows are added. All in one transaction, so readers get rows, indexes and aggregates together.
 *
 * @throws PlatformError CHUNK_COUNT_MISMATCH when the build does not hold what its chunks accepted.
 */
export async function aggStep(context: StepContext, runId: string, month: string): Promise<Next> {
  await transaction(context.pool, async (client) => {
    const started = performance.now();
    if (!(await isActive(client, runId))) {
      return;
    }
    const progress = await monthProgress(client, runId, month, "FOR UPDATE");
    // A message before its time: the month's last chunk will send another.
    if (progress.done || !progress.complete) {
      return;
    }

    // One agg of a month at a time: the second of two runs must see what the first has attached and rolled up.
    if (await enterMonth(client, month)) {
      await publish(context, client, runId, month);
    } else {
      await append(context, client, runId, month);
    }

    const aggMs = Math.round(performance.now() - started);
    const runDone = await recordAggregated(client, runId, month, aggMs);
    context.logger.info({ run: runId, month, ms: aggMs }, "month aggregated");
    if (runDone) {
      context.logger.info({ run: runId }, "run done");
    }
  });
  return [];
}

async function publish(context: StepContext, client: Client, runId: string, month: string): Promise<void> {
  const { leaf } = buildTables(runId, month);
  const rows = await rollUp(client, month, leaf);
  await requireAccepted(client, runId, month, rows);
  await context.reached?.("agg: rolled up");
  // Sorts the index keys of millions of rows in memory; granted to this transaction only.
  await client.query("SET LOCAL maintenance_work_mem = '256MB'");
  try {
    await client.query("SELECT etl.publish_build($1, $2)", [runId, month]);
  } catch (error) {
    if (!PLACE_TAKEN.has(codeOf(error) ?? "")) {
      throw error;
    }
    const what = `${leafTable(month)} cannot become a month of txn: ${messageOf(error)}.`;
    throw new EtlError("LEAF_CHANGED", what, {
      hint: "Something that no run made has its place: move that away. Then: payments dlq replay.",
      cause: error,
    });
  }
  await context.reached?.("agg: month published");
}

async function append(context: StepContext, client: Client, runId: string, month: string): Promise<void> {
  const { leaf } = buildTables(runId, month);
  await requireStanding(client, month);
  await requireAccepted(client, runId, month, await copyLeaf(client, leaf, leafTable(month)));
  // Once more: from its first row on nobody can take the leaf away.
  await requireStanding(client, month);
  await client.query("SELECT etl.drop_build($1, $2)", [runId, month]);
  await rollUp(client, month, leafTable(month));
  await context.reached?.("agg: rolled up");
}

/** @returns rows copied. */
export async function copyLeaf(client: Client, from: string, to: string): Promise<number> {
  const copied = await client.query(loadSql("copy_leaf", { from, to }));
  return copied.rowCount ?? 0;
}

/** A build that lost rows, or got some by another way, must not be published. */
async function requireAccepted(client: Client, runId: string, month: string, rows: number): Promise<void> {
  const accepted = await acceptedRows(client, runId, month);
  if (rows === accepted) {
    return;
  }
  throw new EtlError(
    "CHUNK_COUNT_MISMATCH",
    `run ${runId}, ${month}: ${rows} rows were built, its chunks accepted ${accepted}.`,
    {
      hint: `Somebody changed ${buildTables(runId, month).rows}. Cancel the run and start another: payments cancel ${runId}.`,
    },
  );
}

/** Rebuilds the roll-ups of one month from a leaf. @returns rows in the leaf. */
export async function rollUp(client: Client, month: string, leaf: string): Promise<number> {
  // Up to a few hundred thousand groups; the default work_mem would spill them.
  await client.query("SET LOCAL work_mem = '128MB'");
  for (const [table, columns] of Object.entries(ROLLUPS)) {
    await client.query(`DELETE FROM payments.agg_${table} WHERE month = $1`, [month]);
    const fresh = loadSql(`rollup_${table}`, { leaf });
    await client.query(`INSERT INTO payments.agg_${table} (${columns}) ${fresh}`, [month]);
  }
  const { rows } = await client.query<{ rows: number }>(
    "SELECT coalesce(sum(txn_count), 0)::bigint AS rows FROM payments.agg_network_hour WHERE month = $1",
    [month],
  );
  return rows[0]?.rows ?? 0;
}
