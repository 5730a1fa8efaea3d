import { codeOf } from "../../lib/errors.js";
import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
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

/** Rows of a month, and the chunks that they come from. */
interface Place {
  readonly table: string;
  readonly chunks: readonly ChunkRow[];
}

const UNDEFINED_TABLE = "42P01";

/** Checks one month in one snapshot, so that a run going on beside it does no harm. */
export async function verifyMonth(
  pool: Pool,
  month: string,
): Promise<{ report: MonthReport; differences: Difference[] }> {
  for (;;) {
    const building = await runsBuilding(pool, month);
    try {
      return await transaction(pool, (client) => verifyPlaces(client, month, building));
    } catch (error) {
      // Published or cancelled since we looked; the next look tells.
      if (codeOf(error) !== UNDEFINED_TABLE || building.length === 0) throw error;
    }
  }
}

async function runsBuilding(pool: Pool, month: string): Promise<string[]> {
  const { rows } = await pool.query<{ run_id: string }>(
    "SELECT run_id FROM etl.run_month WHERE month = $1 AND state = 'open' ORDER BY run_id",
    [month],
  );
  return rows.map((row) => row.run_id);
}

async function verifyPlaces(
  client: Client,
  month: string,
  building: readonly string[],
): Promise<{ report: MonthReport; differences: Difference[] }> {
  await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // Before the snapshot, which the first SELECT takes: what is locked and in it cannot go away while we read.
  for (const run of building) {
    await client.query(`LOCK TABLE ${quoteName(buildTables(run, month).leaf)} IN ACCESS SHARE MODE`);
  }
  await client.query("SET LOCAL work_mem = '128MB'");
  const places: Place[] = [];
  for (const run of building) {
    places.push({ table: buildTables(run, month).leaf, chunks: await chunksOf(client, month, "open", run) });
  }
  const differences: Difference[] = [];
  const leaf = leafTable(month);
  const finished = await chunksOf(client, month, "done");
  if (await exists(client, leaf)) {
    places.push({ table: leaf, chunks: finished });
    differences.push(...(await verifyReferences(client, month)), ...(await verifyAggregates(client, month)));
  } else if (finished.length > 0) {
    differences.push({ check: "content", month, what: `${leaf} is missing` });
  }
  let [rows, a, b] = [0, 0n, 0n];
  for (const place of places) {
    const content = await verifyContent(client, month, place);
    differences.push(...content.differences);
    rows += content.rows;
    a += content.a;
    b += content.b;
  }
  return { report: { month, rows, digest: digestWord(a, b) }, differences };
}

async function exists(client: Client, table: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [
    table,
  ]);
  return rows[0]?.found === true;
}

/** Chunks of the runs that are done with the month, or of one that is not. */
async function chunksOf(
  client: Client,
  month: string,
  state: "open" | "done",
  run: string | null = null,
): Promise<ChunkRow[]> {
  const { rows } = await client.query<ChunkRow>(
    `SELECT run_id, chunk_no, c.state = 'cleaned' AS cleaned, first_txn_id, c.txn_rows, accepted_key, digest_a, digest_b
     FROM etl.chunk c
     JOIN etl.run_month m USING (run_id, month)
     WHERE month = $1 AND m.state = $2 AND ($3::text IS NULL OR run_id = $3)
     ORDER BY first_txn_id`,
    [month, state, run],
  );
  return rows;
}

/** Chunk by chunk: the rows in a leaf against what the generator predicted. What is staged only is not compared yet. */
async function verifyContent(
  client: Client,
  month: string,
  { table, chunks }: Place,
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
  if (strayRows > 0)
    differences.push({ check: "content", month, what: "rows of no run", expected: 0, found: strayRows });

  let [rows, a, b] = [strayRows, 0n, 0n];
  let [predictedA, predictedB] = [0n, 0n];
  chunks.forEach((chunk, i) => {
    if (!chunk.cleaned) return;
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
