import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { codeOf, messageOf } from "../../lib/errors.js";
import { one } from "../../lib/postgres/one.js";
import { connect, type Pool } from "../../lib/postgres/pool.js";
import type { Address } from "./address.js";
import { attempt } from "./database_settings.js";
import type { DumpManifest } from "./manifest.js";
import type { OpenDump } from "./open_dump.js";
import { execute, postgresTool, serverMajor } from "./postgres_tool.js";

/**
 * Puts into an empty database what can be put there; all becomes payments_owner's. What the role may not make, or this server
 * does not know, is left out: whether that matters is for the comparison to say.
 *
 * @returns what pg_restore complained of first; null: of nothing.
 */
export async function putBack(
  pool: Pool,
  address: Address,
  { manifest, dump }: Pick<OpenDump, "manifest" | "dump">,
  { jobs, signal }: { jobs: number; signal: AbortSignal | undefined },
): Promise<string | null> {
  const pgRestore = await postgresTool("pg_restore", await serverMajor(pool));
  await makeExtensions(pool, manifest);
  const how = ["--no-owner", "--no-tablespaces", "--role=payments_owner", `--jobs=${jobs}`, "--no-password"];
  // Some 150 statements need not each wait for the disk: the commit that gives the database its name does, and with it all
  // that came before.
  const options = "-c synchronous_commit=off";
  try {
    await execute(pgRestore, [...how, `--dbname=${address.database}`, dump], { address, options, signal });
    return null;
  } catch (error) {
    if (codeOf(error) !== undefined) {
      throw error;
    }
    await grantOneByOne(pool, pgRestore, dump, signal).catch(() => undefined);
    return messageOf(error);
  }
}

/** Those that a dump cannot bring back as payments_owner: possible when the restore is run as a superuser. */
async function makeExtensions(pool: Pool, { extensions = [] }: DumpManifest): Promise<void> {
  const asked = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
  if (!one((await pool.query<{ rolsuper: boolean }>(asked)).rows).rolsuper) {
    return;
  }
  for (const { name, schema } of extensions) {
    const space = pg.escapeIdentifier(schema);
    await attempt(pool, `CREATE SCHEMA IF NOT EXISTS ${space} AUTHORIZATION payments_owner`);
    const extension = pg.escapeIdentifier(name);
    await attempt(pool, `CREATE EXTENSION IF NOT EXISTS ${extension} SCHEMA ${space} CASCADE`);
  }
}

/** The rights again, each for itself: of a table pg_restore gives all or, if one names a role that is not there, none. */
async function grantOneByOne(
  pool: Pool,
  pgRestore: string,
  dump: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const list = (await execute(pgRestore, ["--list", dump], { signal })).split("\n");
  const folder = await mkdtemp(join(tmpdir(), "payments-rights-"));
  try {
    const wanted = join(folder, "list");
    await writeFile(wanted, list.filter((line) => /^\d+; \d+ \d+ (DEFAULT )?ACL /.test(line)).join("\n"));
    const how = ["--no-owner", `--use-list=${wanted}`, "--file=-"];
    const sql = await execute(pgRestore, [...how, dump], { signal });
    const client = await connect(pool);
    try {
      await client.query("SET ROLE payments_owner");
      // Not by psql, which would also do what a name with a backslash in it tells it to.
      for (const statement of sql.split(/;$/m)) {
        if (/^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) /m.test(statement)) {
          await attempt(client, statement);
        }
      }
    } finally {
      client.release(true);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
