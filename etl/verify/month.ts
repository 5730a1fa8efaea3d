import { codeOf } from "../../lib/errors.js";
import { type Client, type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import { loadSql, quoteName } from "../../lib/postgres/sql.js";
import { digestRowsSql } from "../generate/digest.js";
import { ROLLUPS } from "../steps/agg.js";
import { buildTables, leafTable } from "../steps/step.js";
import { type Difference, digestWord, type MonthReport } from "./report.js";

interface ChunkRow {
  run_id: string;
  chunk_no: number;
  cleaned: boolean;
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

const UNDEFINED_TABLE = "42P01";

/** A table that holds rows of a month: the leaf (of no run), or what a run builds. */
interface Table {
  readonly run: string | null;
  readonly oid: number;
}

/** Checks one month in one snapshot, so that a run going on beside it does no harm. */
export async function verifyMonth(
  pool: Pool,
  month: string,
): Promise<{ report: MonthReport; differences: Difference[] }> {
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

/** The month's tables, as far as they are there: structure names those that are missing. */
async function tablesOf(db: Queryable, month: string): Promise<Table[]> {
  // By name in pg_class, which is seen as of the same moment as the ledger; to_regclass would look at what is there now.
  const { rows } = await db.query<Table>(
    `SELECT run_id AS run, oid::bigint AS oid
     FROM etl.run_month
     JOIN pg_class ON relnamespace = 'staging'::regnamespace AND relname = etl.build_name(run_id, month) || '_leaf'
     WHERE month = $1 AND state = 'open'
     UNION ALL
     SELECT NULL, oid::bigint FROM pg_class
     WHERE relnamespace = 'payments'::regnamespace AND relname = etl.leaf_name($1)
     ORDER BY 2`,
    [month],
  );
  return rows;
}

/** Keeps the tables as they are while we read. @returns false when a step was quicker: look again. */
async function holdTables(client: Client, month: string, tables: readonly Table[]): Promise<boolean> {
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
  tables: readonly Table[],
): Promise<{ report: MonthReport; differences: Difference[] }> {
  await client.query("SET LOCAL work_mem = '128MB'");
  const differences: Difference[] = [];
  if (tables.some(({ run }) => run === null)) {
    differences.push(...(await verifyReferences(client, month)), ...(await verifyAggregates(client, month)));
  } else if ((await chunksOf(client, month, null)).length > 0) {
    differences.push({ check: "content", month, what: `${leafTable(month)} is missing` });
  }
  let [rows, a, b] = [0, 0n, 0n];
  for (const { run } of tables) {
    const chunks = await chunksOf(client, month, run);
    const content = await verifyContent(client, month, nameOf(run, month), chunks);
    differences.push(...content.differences);
    rows += content.rows;
    a += content.a;
    b += content.b;
  }
  return { report: { month, rows, digest: digestWord(a, b) }, differences };
}

/** Chunks of a run that is not done with the month, or of all that are. */
async function chunksOf(client: Client, month: string, run: string | null): Promise<ChunkRow[]> {
  const { rows } = await client.query<ChunkRow>(
    `SELECT run_id, chunk_no, c.state = 'cleaned' AS cleaned, first_txn_id, c.txn_rows, accepted_key, digest_a, digest_b
     FROM etl.chunk c
     JOIN etl.run_month m USING (run_id, month)
     WHERE month = $1 AND CASE WHEN $2::text IS NULL THEN m.state = 'done' ELSE run_id = $2 END
     ORDER BY first_txn_id`,
    [month, run],
  );
  return rows;
}

/** Chunk by chunk: the rows in a leaf against what the generator predicted. What is staged only is not compared yet. */
async function verifyContent(
  client: Client,
  month: string,
  table: string,
  chunks: readonly ChunkRow[],
): Promise<{ rows: number; a: bigint; b: bigint; differences: Difference[] }> {
  const buckets = await client.query<BucketRow>(
    `SELECT width_bucket(txn_id, $1::bigint[]) AS bucket, count(*) AS rows, max(txn_id) AS last_txn_id,
            sum(a) AS a, sum(b) AS b
     FROM (${digestRowsSql(quoteName(table))}) AS digested
     GROUP BY 1`,
    [chunks.map((chunk) => chunk.first_txn_id)],
  );
  const byBucket = new Map(buckets.rows.map((row) => [row.bucket, row]));
  const differences: Difference[] = [];
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
    differences.push({
      check: "content",
      month,
      what: "digest of the month",
      expected: predicted,
      found: digest,
    });
  }
  return { rows, a, b, differences };
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
  for (const [table, columns] of Object.entries(ROLLUPS)) {
    const fresh = loadSql(`rollup_${table}`, { leaf: leafTable(month) });
    const { rows } = await client.query<{ missing: number; stale: number }>(
      `WITH fresh AS MATERIALIZED (${fresh}),
            stored AS MATERIALIZED (SELECT ${columns} FROM payments.agg_${table} WHERE month = $1)
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
