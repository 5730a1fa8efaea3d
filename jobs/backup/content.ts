import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { digestRowsSql } from "../../etl/generate/digest.js";
import { digestWord } from "../../etl/verify/report.js";
import { migrationStatus } from "../../lib/postgres/history.js";
import { one } from "../../lib/postgres/one.js";
import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { packageRoot } from "../../lib/root.js";
import type { DatabaseProperties, DumpManifest, TableContent } from "./manifest.js";

/** All that is in a database, in a form that is equal when the databases are. */
export type Content = Pick<DumpManifest, "tables" | "objects" | "others" | "ledger" | "definitions">;

interface ReadOptions {
  /** Of pg_export_snapshot, held by the caller. */
  readonly snapshot?: string;
  /** Whether a dump of it holds them. */
  readonly largeObjects?: boolean;
  /** As the manifest has them that it is compared with. */
  readonly definitions?: DumpManifest["definitions"];
}

/** In the place of a digest, when row security keeps rows from whoever reads. */
export const HIDDEN = "hidden";

/** A line of db/queries/backup_objects.sql. */
interface ObjectLine {
  readonly object: string;
  /** Null: it is only said, not compared. */
  readonly ours: boolean | null;
  readonly lost: string | null;
}

interface TableName {
  readonly schema: string;
  readonly table: string;
  readonly month: string | null;
  readonly hidden: boolean;
}

/** Every name that a migration gives: what is called so is ours, whoever owns it. */
function migratedNames(): string[] {
  const schema = readFileSync(join(packageRoot, "db", "schema.sql"), "utf8");
  const names = schema.matchAll(
    /\b(?:CREATE (?:SCHEMA|TABLE|VIEW|FUNCTION|TRIGGER|UNIQUE INDEX|INDEX)|CONSTRAINT|SEQUENCE NAME) ([a-z][\w.]*)/g,
  );
  return [...names].map(([, name]) => name ?? "");
}

/** Runs `work` in the exported snapshot, or in one of its own. Reads only; rows turn into text in one way, whoever asks. */
async function inSnapshot<T>(
  pool: Pool,
  snapshot: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return transaction(pool, async (client) => {
    await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (snapshot !== undefined) {
      await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(snapshot)}`);
    }
    // Beyond what is pinned in every session of ours.
    await client.query(
      "SET LOCAL search_path = pg_catalog; SET LOCAL xmlbinary = 'base64'; SET LOCAL lc_monetary = 'C'",
    );
    return work(client);
  });
}

/**
 * Reads a database through: rows and digest of every table, every object's definition, the ledger's position.
 *
 * @param parallel tables read at the same time; the pool must have as many connections.
 */
export async function readContent(
  pool: Pool,
  parallel: number,
  { snapshot, largeObjects = true, definitions }: ReadOptions = {},
): Promise<Content & { leftOut: string[]; properties: DatabaseProperties }> {
  const { queue, lines, ...rest } = await inSnapshot(pool, snapshot, async (client) => ({
    queue: (await client.query<TableName>(loadSql("backup_tables"))).rows,
    lines: (
      await client.query<ObjectLine>(loadSql("backup_objects"), [
        migratedNames(),
        largeObjects,
        definitions === "pretty",
      ])
    ).rows,
    ledger: (await client.query<Content["ledger"][number]>(loadSql("backup_ledger"))).rows,
    properties: await readProperties(client),
  }));
  const tables: TableContent[] = [];
  const reader = () =>
    inSnapshot(pool, snapshot, async (client) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        tables.push(await readTable(client, next));
      }
    });
  await Promise.all(Array.from({ length: parallel }, reader));
  tables.sort((a, b) => (a.table < b.table ? -1 : 1));
  return { tables, definitions, ...sortLines(lines), ...rest };
}

async function readProperties(client: Client): Promise<DatabaseProperties> {
  const { rows } = await client.query<DatabaseProperties>(loadSql("backup_database"));
  // Not of the view ops.migration, which ends where code of before modules does.
  const applied = (await migrationStatus(client, [])).filter(({ module }) => module === "etl");
  const schemaVersion = Math.max(0, ...applied.map(({ version }) => version));
  return { ...one(rows), schemaVersion };
}

function sortLines(lines: readonly ObjectLine[]) {
  const linesOf = (of: boolean) => lines.filter(({ ours }) => ours === of).map(({ object }) => object);
  return {
    objects: linesOf(true),
    others: linesOf(false),
    leftOut: lines.flatMap(({ object, lost }) => (lost === null ? [] : [`${object} (${lost})`])),
  };
}

async function readTable(
  client: Client,
  { schema, table: relation, month, hidden }: TableName,
): Promise<TableContent> {
  const table = `${schema}.${relation}`;
  if (hidden) {
    return { table, month, rows: 0, digest: HIDDEN };
  }
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(relation)}`;
  const sql =
    month === null
      ? loadSql("backup_rows").replace(/:source(?= AS)/, () => name)
      : `SELECT count(*) AS rows, coalesce(sum(a), 0)::text AS a, coalesce(sum(b), 0)::text AS b
         FROM (${digestRowsSql(name)}) digested`;
  const { rows } = await client.query<{ rows: number; a: string; b: string }>(sql);
  const row = one(rows);
  return { table, month, rows: row.rows, digest: digestWord(BigInt(row.a), BigInt(row.b)) };
}
