import { leafTable } from "../etl/build/names.js";
import { columnsOf, ROLLUPS } from "../etl/build/rollup.js";
import { COPY_COLUMNS } from "../etl/generate/encoder.js";
import { createRun } from "../etl/ledger/new_run.js";
import { chunkOf, type PlannedMonth, planRun, timeOf } from "../etl/plan.js";
import type { PlannedSpec } from "../etl/spec.js";
import { ACCEPTED } from "../lib/domain/codes.js";
import { loadSql } from "../lib/postgres/sql.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { deal, type Inputs, quotePath } from "./inputs.js";
import type { Stack } from "./stack.js";

/**
 * What a careful DBA writes who is to end where the pipeline does: every row judged, repaired or kept with its reason, leaves
 * indexed, analysed and attached, both roll-ups made. Two sessions, each with half of the months, month after month, so that a month
 * is still in memory when it is looked at again.
 */

/** All other columns of what is copied are NOT NULL in txn. */
const OPTIONAL: ReadonlySet<string> = new Set(["original_txn_id", "amount_raw", "line_id"]);

/** What stands before the clock: the chunks that rejects and counts refer to. @returns the run's id. */
export async function prepareSame(stack: Stack, spec: PlannedSpec): Promise<string> {
  const plan = planRun(spec);
  const options = { applicationName: "payments-bench" };
  const { runId } = await withPool(stack.settings, options, (pool) => createRun(pool, spec, plan.chunks));
  const chunks = Array.from({ length: plan.chunks }, (_, chunkNo) => {
    const { month, firstTxnId, fromRow, toRow } = chunkOf(plan, spec, chunkNo);
    return `('${runId}', ${chunkNo}, '${month.month}', 'staged', ${firstTxnId}, ${toRow - fromRow}, 'bench')`;
  });
  const entered = `INSERT INTO etl.chunk (run_id, chunk_no, month, state, first_txn_id, txn_rows, worker) VALUES\n${chunks.join(",\n")};\n`;
  await stack.psql(entered);
  return runId;
}

/** One script a session. */
export function sameScripts(runId: string, spec: PlannedSpec, { chunks }: Pick<Inputs, "chunks">): string[] {
  const pathsOf = ({ firstChunk, chunks: count }: PlannedMonth) =>
    chunks.slice(firstChunk, firstChunk + count).map(({ path }) => path);
  return deal(planRun(spec).months).map((months) =>
    [
      // What the pipeline gives itself for the same work.
      "SET maintenance_work_mem = '256MB';\nSET work_mem = '128MB';\n",
      ...months.map((month) => monthScript(runId, spec, month, pathsOf(month))),
    ].join(""),
  );
}

/**
 * What is copied is the leaf itself, so that 99 rows of 100 are written once: it loses its suspects, gets back what was repaired of
 * them, and at last the two columns that only they needed go.
 *
 * @param paths the month's chunks, a file each.
 */
function monthScript(
  runId: string,
  spec: PlannedSpec,
  month: PlannedMonth,
  paths: readonly string[],
): string {
  const leaf = leafTable(month.month);
  const name = leaf.slice(leaf.indexOf(".") + 1);
  const suspects = `staging.${name}_suspect`;
  const like = (table: string) =>
    `CREATE TABLE ${table} (LIKE staging.txn_shape) WITH (autovacuum_enabled = false);\n`;
  const columns = COPY_COLUMNS.join(", ");
  return [
    `BEGIN;\n${like(leaf)}`,
    ...paths.map(
      (path) => `\\copy ${leaf} (${columns}) from ${quotePath(path)} with (format binary, freeze)\n`,
    ),
    `COMMIT;\n${like(suspects)}`,
    // One look for what is not plainly right, about 1 %.
    `WITH bad AS (DELETE FROM ${leaf} WHERE (${plainlyRight(month)}) IS NOT TRUE RETURNING *)
     INSERT INTO ${suspects} (${columns}) SELECT ${columns} FROM bad;\n`,
    judgements(runId, spec, month, { leaf, suspects }),
    `DROP TABLE ${suspects};\n${asLeaf(leaf, `${name}_month`, month)}`,
    ...Object.entries(ROLLUPS).map(([table, shape]) => {
      const groups = loadSql(`rollup_${table}`, { leaf }).replaceAll("$1", `'${month.month}'`);
      return `INSERT INTO payments.agg_${table} (${columnsOf(shape)}) ${groups};\n`;
    }),
    `SELECT etl.index_leaf(etl.leaf_name('${month.month}')), etl.attach_leaf(etl.leaf_name('${month.month}'), '${month.month}');\n`,
  ].join("");
}

/** As ATTACH wants it, in one look; the CHECK spares ATTACH another. */
function asLeaf(leaf: string, check: string, { month }: PlannedMonth): string {
  const [year, monthNo] = month.split("-").map(Number) as [number, number];
  const next = new Date(Date.UTC(year, monthNo, 1)).toISOString();
  const required = COPY_COLUMNS.filter((column) => !OPTIONAL.has(column));
  return `ALTER TABLE ${leaf} ${[
    "DROP COLUMN amount_raw",
    "DROP COLUMN line_id",
    "RESET (autovacuum_enabled)",
    ...required.map((column) => `ALTER COLUMN ${column} SET NOT NULL`),
    `ADD CONSTRAINT ${check} CHECK (occurred_at >= '${month} 00:00:00+00' AND occurred_at < '${next}')`,
  ].join(", ")};
GRANT SELECT, INSERT ON ${leaf} TO payments_loader;
`;
}

/** References by hashed subplans over the dimensions, codes and times by constants. */
function plainlyRight(month: PlannedMonth): string {
  const { opens, closes } = timeOf(month);
  const among = (column: string, codes: readonly string[]) =>
    `${column} IN (${codes.map((code) => `'${code}'`).join(", ")})`;
  return [
    "line_id IS NULL AND txn_id IS NOT NULL AND is_fraud IS NOT NULL",
    `occurred_at >= '${opens.toISOString()}' AND occurred_at < '${closes.toISOString()}'`,
    `amount > 0 AND amount <= ${ACCEPTED.max_amount}`,
    among("currency", ACCEPTED.currencies),
    among("kind", ACCEPTED.kinds),
    among("channel", ACCEPTED.channels),
    among("network", ACCEPTED.networks),
    among("status", ACCEPTED.statuses),
    among("response_code", ACCEPTED.response_codes),
    "account_id IN (SELECT account_id FROM payments.account)",
    "(terminal_id, merchant_id) IN (SELECT terminal_id, merchant_id FROM payments.terminal)",
  ].join(" AND ");
}

/** Of a month's suspects, chunk by chunk, by the statement that clean has: the same repairs and reasons, counted the same way. */
function judgements(
  runId: string,
  spec: PlannedSpec,
  month: PlannedMonth,
  tables: { readonly leaf: string; readonly suspects: string },
): string {
  const plan = planRun(spec);
  const { opens, closes } = timeOf(month);
  const types = "text, integer, timestamptz, timestamptz, timestamptz, jsonb, bigint, integer";
  const times = `now(), '${opens.toISOString()}', '${closes.toISOString()}'`;
  const calls = Array.from({ length: month.chunks }, (_, k) => {
    const chunkNo = month.firstChunk + k;
    const { firstTxnId, fromRow, toRow } = chunkOf(plan, spec, chunkNo);
    return `EXECUTE judge ('${runId}', ${chunkNo}, ${times}, '${JSON.stringify(ACCEPTED)}', ${firstTxnId}, ${toRow - fromRow});\n`;
  });
  return `PREPARE judge (${types}) AS ${loadSql("clean_chunk", tables)};\n${calls.join("")}DEALLOCATE judge;\n`;
}
