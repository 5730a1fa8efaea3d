import type { Pool } from "../../../lib/postgres/pool.js";

/**
 * All that a run leaves behind and that does not depend on the order or the time of its steps, as key → value. Two databases
 * with equal fingerprints hold the same rows. Columns are named: what varies (times, workers, who released whom) stays out.
 */
const PARTS: Readonly<Record<string, string>> = {
  run: `SELECT run_id AS key, concat_ws(' ', state, txn_rows, seed, first_txn_id, chunks_total, next_chunk, months_total,
               months_done) AS value FROM etl.run`,
  "run's month": `SELECT run_id || ' ' || month AS key, concat_ws(' ', txn_rows, chunks_total, chunks_done, state) AS value
               FROM etl.run_month`,
  "run's chunks": `SELECT run_id AS key,
               concat_ws(' ', count(*), count(*) FILTER (WHERE state = 'cleaned'), sum(txn_rows), sum(accepted), sum(repaired),
                         sum(rejected), sum(accepted_key), sum(digest_a), sum(digest_b)) AS value
               FROM etl.chunk GROUP BY 1`,
  "run's classes": `SELECT run_id || ' ' || class AS key, concat_ws(' ', count(*), sum(injected), sum(found)) AS value
               FROM etl.chunk_class GROUP BY 1`,
  month: "SELECT month::text AS key, 'published' AS value FROM etl.month",
  "run's rejects": `SELECT run_id AS key,
               concat_ws(' ', count(*), sum(hashtextextended((to_jsonb(r) - 'rejected_at')::text, 0))) AS value
               FROM payments.txn_reject r GROUP BY 1`,
  agg_merchant_day: aggregate("agg_merchant_day"),
  agg_network_hour: aggregate("agg_network_hour"),
};

function aggregate(table: string): string {
  return `SELECT month::text AS key, concat_ws(' ', count(*), sum(txn_count), sum(amount), sum(hashtextextended(a::text, 0)))
                 AS value FROM payments.${table} a GROUP BY 1`;
}

export async function fingerprintOf(pool: Pool): Promise<Map<string, string>> {
  const print = new Map<string, string>();
  for (const [part, sql] of Object.entries(PARTS)) {
    const { rows } = await pool.query<{ key: string; value: string }>(sql);
    for (const { key, value } of rows) {
      print.set(`${part} ${key}`, value);
    }
  }
  return print;
}

/** One line for each key on which the two differ. */
export function differences(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return keys
    .filter((key) => expected.get(key) !== found.get(key))
    .map((key) => `${key}: expected ${expected.get(key) ?? "nothing"}, found ${found.get(key) ?? "nothing"}`);
}
