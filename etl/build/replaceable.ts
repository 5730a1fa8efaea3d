import type { Client } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { COPY_COLUMNS } from "../generate/encoder.js";
import { attachedAs } from "./leaf.js";
import { leafTable } from "./names.js";

interface AddedColumn {
  /** Quoted. */
  readonly name: string;
  readonly value: string;
  /** The default is another each time: a time, a random or running number. */
  readonly varies: boolean;
  readonly required: boolean;
}

/**
 * A rebuilt month takes the place of its leaf, and holds what its runs made and nothing else.
 *
 * @returns added columns that are filled anew, because their default is another each time.
 * @throws PlatformError LEAF_CHANGED when something else has its place or depends on it, or when an added column has values, which
 *   would be lost.
 */
export async function requireReplaceable(client: Client, month: string): Promise<string[]> {
  const leaf = leafTable(month);
  const attached = await attachedAs(client, month);
  if (attached !== null && attached !== leaf) {
    const what = `${month.slice(0, 7)} is attached to txn as ${attached}, not as ${leaf}.`;
    const hint = `Rename it to ${leaf.split(".")[1]}, or detach it, then heal.`;
    throw new EtlError("LEAF_CHANGED", what, { hint });
  }
  const dependants = await dependantsOf(client, leaf);
  if (dependants.length > 0) {
    throw new EtlError("LEAF_CHANGED", `${leaf}, which heal replaces, is used by ${dependants.join(", ")}.`, {
      hint: "Keep the definition, drop it, heal, and make it again, best on payments.txn.",
    });
  }
  const columns = await addedColumns(client, leaf);
  for (const { name, value, required } of columns.filter(({ varies }) => !varies)) {
    const filled = `SELECT FROM ${quoteName(leaf)} WHERE ${name} IS DISTINCT FROM (${value}) LIMIT 1`;
    if ((await client.query(filled)).rowCount === 0) {
      continue;
    }
    const hint = required
      ? "Keep them elsewhere, drop the column, or its NOT NULL and its values, then heal."
      : `Keep them elsewhere, set the column to ${value}, then heal.`;
    const what = `column ${name} of ${leaf}, which no migration made, has values that healing would lose.`;
    throw new EtlError("LEAF_CHANGED", what, { hint });
  }
  return columns.filter(({ varies }) => varies).map(({ name }) => name);
}

/** What would hinder dropping the leaf: views, functions and foreign keys of others. */
async function dependantsOf(client: Client, leaf: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT coalesce(pg_describe_object('pg_class'::regclass, r.ev_class, 0),
                              pg_describe_object(d.classid, d.objid, 0)) AS name
     FROM pg_class l
     JOIN pg_depend d ON d.deptype = 'n' AND (d.refclassid, d.refobjid) IN (('pg_class'::regclass, l.oid), ('pg_type'::regclass, l.reltype))
     LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
     LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
     WHERE l.oid = to_regclass($1) AND (r.ev_class <> l.oid OR c.conrelid <> l.oid OR d.classid = 'pg_proc'::regclass)
     ORDER BY name`,
    [leaf],
  );
  return rows.map(({ name }) => name);
}

/** Columns of the leaf that no migration made, but for generated ones, which come out as they were. */
async function addedColumns(client: Client, leaf: string): Promise<AddedColumn[]> {
  // A stored expression names its functions by number, wherever in it they are; those of PostgreSQL itself are not in pg_depend.
  const { rows } = await client.query<AddedColumn>(
    `SELECT quote_ident(a.attname) AS name, coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') AS value,
            a.attnotnull AND d.adbin IS NULL AS required,
            coalesce(d.adbin::text ~ 'SQLVALUEFUNCTION|NEXTVALUEEXPR', false) OR EXISTS (
              SELECT FROM regexp_matches(d.adbin::text, ':(?:op)?funcid (\\d+)', 'g') AS called (id)
              JOIN pg_proc p ON p.oid = called.id[1]::oid
              WHERE p.provolatile <> 'i') AS varies
     FROM pg_attribute a
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND a.attname <> ALL ($2::text[])`,
    [leaf, COPY_COLUMNS],
  );
  return rows;
}
