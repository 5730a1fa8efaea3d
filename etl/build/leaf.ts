import type { Client } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import { leafTable } from "./names.js";

/**
 * Somebody may have detached, dropped or renamed the leaf: nobody would see rows that are added to it.
 *
 * @throws PlatformError LEAF_CHANGED
 */
export async function requireAttached(client: Client, month: string): Promise<void> {
  const leaf = leafTable(month);
  const attached = await attachedAs(client, month);
  if (attached === leaf) {
    return;
  }
  const what =
    attached === null
      ? `${leaf} is not attached to txn, though ${month.slice(0, 7)} is published.`
      : `${month.slice(0, 7)} is attached to txn as ${attached}, not as ${leaf}.`;
  throw new EtlError("LEAF_CHANGED", what, {
    hint: `Put it back, or rebuild it: payments heal ${month.slice(0, 7)}. Then: payments dlq replay.`,
  });
}

/** The partition of txn that the month's rows go to, or null. */
export async function attachedAs(client: Client, month: string): Promise<string | null> {
  // The bound is written in the session's time zone, which is UTC.
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name
     FROM pg_inherits i
     JOIN pg_class c ON c.oid = i.inhrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE i.inhparent = 'payments.txn'::regclass AND NOT i.inhdetachpending
       AND pg_get_expr(c.relpartbound, c.oid) LIKE 'FOR VALUES FROM (''' || $1::text || ' 00:00:00+00'')%'`,
    [month],
  );
  return rows[0]?.name ?? null;
}
