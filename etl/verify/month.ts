import { codeOf } from "../../lib/errors.js";
import { one } from "../../lib/postgres/one.js";
import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
import { loadSql, quoteName } from "../../lib/postgres/sql.js";
import { buildTables, leafTable } from "../build/names.js";
import { columnsOf, ROLLUPS } from "../build/rollup.js";
import { digestRowsSql } from "../generate/digest.js";
import { type ChunkPrediction, type MonthTable, predictions, tablesOf } from "../ledger/reading.js";
import { digestWord, type Mismatch, type MonthReport } from "./report.js";

interface BucketRow {
  bucket: number;
  rows: number;
  last_txn_id: number;
  a: string;
  b: string;
}

const UNDEFINED_TABLE = "42P01";

/** Checks one month in one snapshot, so that a run going on beside it does no harm. */
export async function verifyMonth(
  pool: Pool,
  month: string,
): Promise<{ report: MonthReport; differences: Mismatch[] }> {
  for (;;) {
    const tables = await tablesOf(pool, month);
    const verified = await transaction(pool, async (client) =>
      (await holdTables(client, month, tables)) ? verifyTables(client, month, tables) : undefined,
    );
    if (verified !== undefined) {
      return verified;
    }
  }
}

/** Keeps the tables as they are while we read. @returns false when a step was quicker: look again. */
async function holdTables(client: Client, month: string, tables: readonly MonthTable[]): Promise<boolean> {
  await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // Before the snapshot, which the first SELECT takes: what is locked and in it cannot go away.
  try {
    for (const { run } of tables) {
      await client.query(`LOCK TABLE ${quoteName(nameOf(run, month))} IN ACCESS SHARE MODE`);
    }
  } catch (error) {
    if (codeOf(error) === UNDEFINED_TABLE) {
      return false;
    }
    throw error;
  }
  return JSON.stringify(await tablesOf(client, month)) === JSON.stringify(tables);
}

function nameOf(run: string | null, month: string): string {
  return run === null ? leafTable(month) : buildTables(run, month).leaf;
}

async function verifyTables(
  client: Client,
  month: string,
  tables: readonly MonthTable[],
): Promise<{ report: MonthReport; differences: Mismatch[] }> {
  await client.query("SET LOCAL work_mem = '128MB'");
  const differences: Mismatch[] = [];
  if (tables.some(({ run }) => run === null)) {
    differences.push(...(await verifyReferences(client, month)), ...(await verifyAggregates(client, month)));
  } else if ((await predictions(client, month, null)).length > 0) {
    differences.push({ check: "content", month, what: `${leafTable(month)} is missing` });
  }
  let [rows, a, b] = [0, 0n, 0n];
  for (const { run } of tables) {
    const chunks = await predictions(client, month, run);
    const content = await verifyContent(client, month, nameOf(run, month), chunks);
    differences.push(...content.differences);
    rows += content.rows;
    a += content.a;
    b += content.b;
  }
  return { report: { month, rows, digest: digestWord(a, b) }, differences };
}

/** Chunk by chunk: the rows in a leaf against what the generator predicted. What is staged only is not compared yet. */
async function verifyContent(
  client: Client,
  month: string,
  table: string,
  chunks: readonly ChunkPrediction[],
): Promise<{ rows: number; a: bigint; b: bigint; differences: Mismatch[] }> {
  const buckets = await client.query<BucketRow>(
    `SELECT width_bucket(txn_id, $1::bigint[]) AS bucket, count(*) AS rows, max(txn_id) AS last_txn_id,
            sum(a) AS a, sum(b) AS b
     FROM (${digestRowsSql(quoteName(table))}) AS digested
     GROUP BY 1`,
    [chunks.map((chunk) => chunk.first_txn_id)],
  );
  const byBucket = new Map(buckets.rows.map((row) => [row.bucket, row]));
  const differences: Mismatch[] = [];
  const strayRows = byBucket.get(0)?.rows ?? 0;
  if (strayRows > 0) {
    differences.push({ check: "content", month, what: "rows of no run", expected: 0, found: strayRows });
  }

  let [rows, a, b] = [strayRows, 0n, 0n];
  let [predictedA, predictedB] = [0n, 0n];
  chunks.forEach((chunk, i) => {
    if (!chunk.cleaned) {
      return;
    }
    const found = byBucket.get(i + 1) ?? { rows: 0, last_txn_id: 0, a: "0", b: "0" };
    differences.push(...compareChunk(month, chunk, found));
    rows += found.rows;
    a += BigInt(found.a);
    b += BigInt(found.b);
    predictedA += BigInt(chunk.digest_a);
    predictedB += BigInt(chunk.digest_b);
  });
  const digest = digestWord(a, b);
  const predicted = digestWord(predictedA, predictedB);
  if (digest !== predicted) {
    const what = "digest of the month";
    differences.push({ check: "content", month, what, expected: predicted, found: digest });
  }
  return { rows, a, b, differences };
}

function compareChunk(month: string, chunk: ChunkPrediction, found: Omit<BucketRow, "bucket">): Mismatch[] {
  const where = { check: "content", month, run: chunk.run_id, chunk: chunk.chunk_no } as const;
  const differences: Mismatch[] = [];
  if (found.rows !== chunk.accepted_key) {
    differences.push({ ...where, what: "rows", expected: chunk.accepted_key, found: found.rows });
  }
  if (found.last_txn_id >= chunk.first_txn_id + chunk.txn_rows) {
    const last = chunk.first_txn_id + chunk.txn_rows - 1;
    differences.push({ ...where, what: "rows beyond its last id", expected: last, found: found.last_txn_id });
  }
  if (found.a !== chunk.digest_a || found.b !== chunk.digest_b) {
    const expected = digestWord(BigInt(chunk.digest_a), BigInt(chunk.digest_b));
    const digest = digestWord(BigInt(found.a), BigInt(found.b));
    differences.push({ ...where, what: "digest", expected, found: digest });
  }
  return differences;
}

async function verifyReferences(client: Client, month: string): Promise<Mismatch[]> {
  const { rows } = await client.query<Record<string, number>>(
    loadSql("verify_references", { leaf: leafTable(month) }),
  );
  return Object.entries(one(rows))
    .filter(([, orphans]) => orphans > 0)
    .map(([kind, orphans]) => ({
      check: "references",
      month,
      what: `rows without their ${kind.replaceAll("_", " ")}`,
      expected: 0,
      found: orphans,
    }));
}

/** Rolls the month up again and compares row by row. */
async function verifyAggregates(client: Client, month: string): Promise<Mismatch[]> {
  const differences: Mismatch[] = [];
  for (const [table, shape] of Object.entries(ROLLUPS)) {
    const fresh = loadSql(`rollup_${table}`, { leaf: leafTable(month) });
    const { rows } = await client.query<{ missing: number; stale: number }>(
      `WITH fresh AS MATERIALIZED (${fresh}),
            stored AS MATERIALIZED (SELECT ${columnsOf(shape)} FROM payments.agg_${table} WHERE month = $1)
       SELECT (SELECT count(*) FROM (TABLE fresh EXCEPT ALL TABLE stored) m) AS missing,
              (SELECT count(*) FROM (TABLE stored EXCEPT ALL TABLE fresh) s) AS stale`,
      [month],
    );
    const { missing, stale } = one(rows);
    if (missing + stale > 0) {
      const what = `agg_${table}: groups that differ from txn`;
      differences.push({ check: "aggregates", month, what, expected: 0, found: Math.max(missing, stale) });
    }
  }
  return differences;
}
