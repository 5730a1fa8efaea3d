import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { codeOf, messageOf } from "../../lib/errors.js";
import { connect, type Pool } from "../../lib/postgres/pool.js";
import type { Address } from "./address.js";
import { attempt } from "./database_settings.js";
import type { OpenDump } from "./open_dump.js";
import { execute, postgresTool, serverMajor } from "./postgres_tool.js";

interface Restore {
  readonly pool: Pool;
  readonly address: Address;
  readonly dump: Pick<OpenDump, "manifest" | "dump">;
  readonly jobs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Puts into an empty database what can be put there; all becomes payments_owner's. What the role may not make, or this server
 * does not know, is left out: whether that matters is for the comparison to say.
 *
 * @returns what pg_restore complained of first; null: of nothing.
 */
export async function putBack(restore: Restore): Promise<string | null> {
  const { pool, address, dump, jobs, signal } = restore;
  const pgRestore = await postgresTool("pg_restore", await serverMajor(pool));
  await makeExtensions(pool, dump.manifest.extensions ?? []);
  const args = ["--no-owner", "--no-tablespaces", "--role=payments_owner", `--jobs=${jobs}`];
  try {
    await execute(pgRestore, [...args, `--dbname=${address.database}`, "--no-password", dump.dump], {
      address,
      // Some 150 statements need not each wait for the disk: the commit that gives the database its name does, and with it
      // all that came before.
      options: "-c synchronous_commit=off",
      signal,
    });
    return null;
  } catch (error) {
    if (codeOf(error) !== undefined) {
      throw error;
    }
    await grantOneByOne(restore, pgRestore).catch(() => undefined);
    return messageOf(error);
  }
}

/** Those that a dump cannot bring back as payments_owner: possible when the restore is run as a superuser. */
async function makeExtensions(
  pool: Pool,
  extensions: NonNullable<OpenDump["manifest"]["extensions"]>,
): Promise<void> {
  const { rows } = await pool.query<{ rolsuper: boolean }>(
    "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
  );
  if (rows[0]?.rolsuper !== true) {
    return;
  }
  for (const { name, schema } of extensions) {
    const space = pg.escapeIdentifier(schema);
    await attempt(pool, `CREATE SCHEMA IF NOT EXISTS ${space} AUTHORIZATION payments_owner`);
    const made = `CREATE EXTENSION IF NOT EXISTS ${pg.escapeIdentifier(name)} SCHEMA ${space} CASCADE`;
    await attempt(pool, made);
  }
}

/** The rights again, each for itself: of a table pg_restore gives all or, if one names a role that is not there, none. */
async function grantOneByOne({ pool, dump, signal }: Restore, pgRestore: string): Promise<void> {
  const list = (await execute(pgRestore, ["--list", dump.dump], { signal })).split("\n");
  const folder = await mkdtemp(join(tmpdir(), "payments-rights-"));
  try {
    const wanted = join(folder, "list");
    await writeFile(wanted, list.filter((line) => /^\d+; \d+ \d+ (DEFAULT )?ACL /.test(line)).join("\n"));
    const sql = await execute(pgRestore, ["--no-owner", `--use-list=${wanted}`, "--file=-", dump.dump], {
      signal,
    });
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
