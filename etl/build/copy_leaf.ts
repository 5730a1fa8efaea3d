import type { Client } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";

/** @returns rows copied. */
export async function copyLeaf(client: Client, leaf: { from: string; to: string }): Promise<number> {
  const copied = await client.query(loadSql("copy_leaf", leaf));
  return copied.rowCount ?? 0;
}
