import { one } from "../../lib/postgres/one.js";
import type { Client } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";

interface RollUp {
  /** Columns of the primary key. */
  readonly key: readonly string[];
  /** Counts and amounts, which add up. */
  readonly sums: readonly string[];
}

/** Tables payments.agg_<name>, filled by db/queries/rollup_<name>.sql: in its order the columns of the key, then the sums. */
export const ROLLUPS: Readonly<Record<string, RollUp>> = {
  merchant_day: {
    key: ["month", "day", "merchant_id", "currency"],
    sums: [
      "txn_count",
      "approved_count",
      "refund_count",
      "fraud_count",
      "amount",
      "approved_amount",
      "refund_amount",
    ],
  },
  network_hour: {
    key: ["month", "hour", "network", "channel", "currency"],
    sums: ["txn_count", "approved_count", "fraud_count", "amount"],
  },
};

export function columnsOf({ key, sums }: RollUp): string {
  return [...key, ...sums].join(", ");
}

/** Makes the roll-ups of one month anew from a leaf. @returns rows in the leaf. */
export async function rollUp(client: Client, month: string, leaf: string): Promise<number> {
  for (const table of Object.keys(ROLLUPS)) {
    await client.query(`DELETE FROM payments.agg_${table} WHERE month = $1`, [month]);
  }
  await insertGroups(client, month, leaf, () => "");
  const { rows } = await client.query<{ rows: number }>(
    "SELECT coalesce(sum(txn_count), 0)::bigint AS rows FROM payments.agg_network_hour WHERE month = $1",
    [month],
  );
  return one(rows).rows;
}

/** Adds the groups of a leaf to the roll-ups that the month has: what it costs follows from the leaf, not from what stands. */
export async function addToRollUps(client: Client, month: string, leaf: string): Promise<void> {
  await insertGroups(client, month, leaf, ({ key, sums }) => {
    const added = sums.map((sum) => `${sum} = standing.${sum} + excluded.${sum}`).join(", ");
    return ` ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${added}`;
  });
}

async function insertGroups(
  client: Client,
  month: string,
  leaf: string,
  onConflict: (rollUp: RollUp) => string,
): Promise<void> {
  // Up to a few hundred thousand groups; the default work_mem would spill them.
  await client.query("SET LOCAL work_mem = '128MB'");
  for (const [table, shape] of Object.entries(ROLLUPS)) {
    const groups = loadSql(`rollup_${table}`, { leaf });
    const into = `payments.agg_${table} AS standing (${columnsOf(shape)})`;
    await client.query(`INSERT INTO ${into} ${groups}${onConflict(shape)}`, [month]);
  }
}
