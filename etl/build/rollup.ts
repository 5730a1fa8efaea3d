import { one } from "../../lib/postgres/one.js";
import type { Client } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";

/** Tables payments.agg_<name>, filled by db/queries/rollup_<name>.sql, and their columns in its order. */
export const ROLLUPS = {
  merchant_day:
    "month, day, merchant_id, currency, txn_count, approved_count, refund_count, fraud_count, amount, approved_amount, refund_amount",
  network_hour: "month, hour, network, channel, currency, txn_count, approved_count, fraud_count, amount",
} as const;

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
  return one(rows).rows;
}
