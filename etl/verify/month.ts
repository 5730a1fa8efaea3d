import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { digestRowsSql } from "../generate/digest.js";
import { ROLLUPS } from "../steps/agg.js";
import { leafTable } from "../steps/step.js";
import { type Difference, digestWord, type MonthReport } from "./report.js";

interface ChunkRow {
  run_id: string;
  chunk_no: number;
  first_txn_id: number;
  txn_rows: number;
  accepted_key: number;
  digest_a: string;
  digest_b: string;
}

interface BucketRow {
  bucket: number;
  rows: number;
  last_txn_id: number;
  a: string;
  b: string;
}

/** Checks one month in one snapshot, so that a run going on beside it does no harm. */
export async function verifyMonth(
  pool: Pool,
  month: string,
): Promise<{ report: MonthReport; differences: Difference[] }> {
  return transaction(pool, async (client) => {
    await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await client.query("SET LOCAL work_mem = '128MB'");
    const { aggregated, leaf } = await monthState(client, month);
    if (!leaf) {
      const missing: Difference = { check: "content", month, what: `${leafTable(month)} is missing` };
      return { report: { month, rows: 0, digest: digestWord(0n, 0n) }, differences: [missing] };
    }
    const content = await verifyContent(client, month);
    const differences = [...content.differences, ...(await verifyReferences(client, month))];
    if (aggregated) differences.push(...(await verifyAggregates(client, month)));
    return { report: content.report, differences };
  });
}

/** Whether its leaf is there, and whether its aggregates are due: those of a month that a run still adds to are behind by nature. */
async function monthState(client: Client, month: string): Promise<{ aggregated: boolean; leaf: boolean }> {
  const { rows } = await client.query<{ aggregated: boolean; leaf: boolean }>(
    `SELECT coalesce(bool_and(state = 'done'), true) AS aggregated, to_regclass($2) IS NOT NULL AS leaf
     FROM etl.run_month WHERE month = $1`,
    [month, leafTable(month)],
  );
  return rows[0] ?? { aggregated: true, leaf: false };
}

/** Chunk by chunk: the rows in the leaf against what the generator predicted. */
async function verifyContent(
  client: Client,
  month: string,
): Promise<{ report: MonthReport; differences: Difference[] }> {
  const chunks = await client.query<ChunkRow>(
    `SELECT run_id, chunk_no, first_txn_id, txn_rows, accepted_key, digest_a, digest_b
     FROM etl.chunk WHERE month = $1 AND state = 'cleaned' ORDER BY first_txn_id`,
    [month],
  );
  const buckets = await client.query<BucketRow>(
    `SELECT width_bucket(txn_id, $1::bigint[]) AS bucket, count(*) AS rows, max(txn_id) AS last_txn_id,
            sum(a) AS a, sum(b) AS b
     FROM (${digestRowsSql(leafTable(month))}) AS digested
     GROUP BY 1`,
    [chunks.rows.map((chunk) => chunk.first_txn_id)],
  );
  const byBucket = new Map(buckets.rows.map((row) => [row.bucket, row]));
  const differences: Difference[] = [];
  const strayRows = byBucket.get(0)?.rows ?? 0;
  if (strayRows > 0)
    differences.push({ check: "content", month, what: "rows of no run", expected: 0, found: strayRows });

  let [rows, a, b] = [0, 0n, 0n];
  let [predictedA, predictedB] = [0n, 0n];
  chunks.rows.forEach((chunk, i) => {
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
    differences.push({
      check: "content",
      month,
      what: "digest of the month",
      expected: predicted,
      found: digest,
    });
  }
  return { report: { month, rows: rows + strayRows, digest }, differences };
}

function compareChunk(month: string, chunk: ChunkRow, found: Omit<BucketRow, "bucket">): Difference[] {
  const where = { check: "content", month, run: chunk.run_id, chunk: chunk.chunk_no } as const;
  const differences: Difference[] = [];
  if (found.rows !== chunk.accepted_key) {
    differences.push({ ...where, what: "rows", expected: chunk.accepted_key, found: found.rows });
  }
  if (found.last_txn_id >= chunk.first_txn_id + chunk.txn_rows) {
    const last = chunk.first_txn_id + chunk.txn_rows - 1;
    differences.push({ ...where, what: "rows beyond its last id", expected: last, found: found.last_txn_id });
  }
  if (found.a !== chunk.digest_a || found.b !== chunk.digest_b) {
    const expected = digestWord(BigInt(chunk.digest_a), BigInt(chunk.digest_b));
    differences.push({
      ...where,
      what: "digest",
      expected,
      found: digestWord(BigInt(found.a), BigInt(found.b)),
    });
  }
  return differences;
}

async function verifyReferences(client: Client, month: string): Promise<Difference[]> {
  const { rows } = await client.query<Record<string, number>>(
    loadSql("verify_references", { leaf: leafTable(month) }),
  );
  return Object.entries(rows[0] ?? {})
    .filter(([, orphans]) => orphans > 0)
    .map(([kind, orphans]) => ({
      check: "references",
      month,
      what: `rows without their ${kind.replaceAll("_", " ")}`,
      expected: 0,
      found: orphans,
    }));
}

/** Rolls the month up anew and compares row by row. */
async function verifyAggregates(client: Client, month: string): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const table of ROLLUPS) {
    const fresh = loadSql(`rollup_${table}`, { leaf: leafTable(month) });
    const { rows } = await client.query<{ missing: number; stale: number }>(
      `WITH fresh AS MATERIALIZED (${fresh}),
            stored AS MATERIALIZED (SELECT * FROM payments.agg_${table} WHERE month = $1)
       SELECT (SELECT count(*) FROM (TABLE fresh EXCEPT ALL TABLE stored) m) AS missing,
              (SELECT count(*) FROM (TABLE stored EXCEPT ALL TABLE fresh) s) AS stale`,
      [month],
    );
    const { missing, stale } = rows[0] ?? { missing: 0, stale: 0 };
    if (missing + stale > 0) {
      const what = `agg_${table}: groups that differ from txn`;
      differences.push({ check: "aggregates", month, what, expected: 0, found: Math.max(missing, stale) });
    }
  }
  return differences;
}
