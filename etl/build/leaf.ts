import type { Client } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { COPY_COLUMNS } from "../generate/encoder.js";
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

/**
 * A rebuilt month takes the place of its leaf, and holds what its runs made and nothing else.
 *
 * @throws PlatformError LEAF_CHANGED when something else has its place, or when an added column has values, which would be lost.
 */
export async function requireReplaceable(client: Client, month: string): Promise<void> {
  const leaf = leafTable(month);
  const attached = await attachedAs(client, month);
  if (attached !== null && attached !== leaf) {
    throw new EtlError(
      "LEAF_CHANGED",
      `${month.slice(0, 7)} is attached to txn as ${attached}, not as ${leaf}.`,
      {
        hint: `Rename it to ${leaf.split(".")[1]}, or detach it, then heal.`,
      },
    );
  }
  for (const { name, value } of await addedColumns(client, leaf)) {
    const filled = `SELECT FROM ${quoteName(leaf)} WHERE ${name} IS DISTINCT FROM (${value}) LIMIT 1`;
    if ((await client.query(filled)).rowCount === 0) {
      continue;
    }
    throw new EtlError(
      "LEAF_CHANGED",
      `column ${name} of ${leaf}, which no migration made, has values that healing would lose.`,
      {
        hint: `Keep them elsewhere, set the column to ${value}, then heal.`,
      },
    );
  }
}

/** The partition of txn that the month's rows go to, or null. */
async function attachedAs(client: Client, month: string): Promise<string | null> {
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

/** Columns of the leaf that no migration made: their quoted names, and their default values. */
async function addedColumns(client: Client, leaf: string): Promise<{ name: string; value: string }[]> {
  const { rows } = await client.query<{ name: string; value: string }>(
    `SELECT quote_ident(a.attname) AS name, coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') AS value
     FROM pg_attribute a
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL ($2::text[])`,
    [leaf, COPY_COLUMNS],
  );
  return rows;
}
