import { digestRowsSql } from "../etl/generate/digest.js";
import { digestWord } from "../etl/verify/report.js";
import { type Client, type Pool, transaction } from "../lib/postgres/pool.js";
import { loadSql, quoteName } from "../lib/postgres/sql.js";
import type { DumpManifest, TableContent } from "./manifest.js";

/** All that is in a database, in a form that is equal when the databases are. */
export type Content = Pick<DumpManifest, "tables" | "objects" | "ledger">;
export type DatabaseProperties = Pick<
  DumpManifest,
  | "server"
  | "serverVersionNum"
  | "lsn"
  | "databaseBytes"
  | "schemaVersion"
  | "collate"
  | "ctype"
  | "settings"
  | "grants"
>;

/** Runs `work` in the exported snapshot, or in one of its own. Reads only; rows turn into text in one way, whoever asks. */
async function inSnapshot<T>(
  pool: Pool,
  snapshot: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return transaction(pool, async (client) => {
    await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (snapshot !== undefined)
      await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(snapshot)}`);
    await client.query(
      `SET LOCAL search_path = pg_catalog; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
       SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL TimeZone = 'UTC'`,
    );
    return work(client);
  });
}

/**
 * Reads a database through: rows and digest of every table, every object's definition, the ledger's position.
 *
 * @param parallel tables read at the same time; the pool must have as many connections.
 * @param snapshot of pg_export_snapshot, held by the caller.
 */
export async function readContent(
  pool: Pool,
  parallel: number,
  snapshot?: string,
): Promise<Content & { properties: DatabaseProperties }> {
  const { queue, ...rest } = await inSnapshot(pool, snapshot, async (client) => ({
    queue: (await client.query<{ name: string; month: string | null }>(loadSql("backup_tables"))).rows,
    objects: (await client.query<{ object: string }>(loadSql("backup_objects"))).rows.map(
      (row) => row.object,
    ),
    ledger: (await client.query<Content["ledger"][number]>(loadSql("backup_ledger"))).rows,
    properties: (await client.query<DatabaseProperties>(loadSql("backup_database")))
      .rows[0] as DatabaseProperties,
  }));
  const tables: TableContent[] = [];
  const reader = () =>
    inSnapshot(pool, snapshot, async (client) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        tables.push(await readTable(client, next.name, next.month));
    });
  await Promise.all(Array.from({ length: parallel }, reader));
  tables.sort((a, b) => (a.table < b.table ? -1 : 1));
  return { tables, ...rest };
}

async function readTable(client: Client, table: string, month: string | null): Promise<TableContent> {
  const sql =
    month === null
      ? loadSql("backup_rows", { table })
      : `SELECT count(*) AS rows, coalesce(sum(a), 0)::text AS a, coalesce(sum(b), 0)::text AS b
         FROM (${digestRowsSql(quoteName(table))}) digested`;
  const { rows } = await client.query<{ rows: number; a: string; b: string }>(sql);
  const row = rows[0] ?? { rows: 0, a: "0", b: "0" };
  return { table, month, rows: row.rows, digest: digestWord(BigInt(row.a), BigInt(row.b)) };
}
