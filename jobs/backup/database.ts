import pg from "pg";
import { codeOf, messageOf } from "../../lib/errors.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import { BackupError } from "../errors.js";
import { attempt, setProperties } from "./database_settings.js";
import type { DumpManifest } from "./manifest.js";

/** PostgreSQL's own, from which databases are made and renamed. */
export const MAINTENANCE = "postgres";

export type TargetState = "missing" | "empty" | "filled";

/** Makes a database as the manifest's was, but for its settings: owner, collation, and who may connect. */
export async function createDatabaseLike(
  maintenance: Pool,
  name: string,
  manifest: DumpManifest,
  template: "template0" | "payments_scratch",
): Promise<void> {
  const database = quoteName(name);
  const create = `CREATE DATABASE ${database} OWNER payments_owner TEMPLATE ${template}`;
  const locale = (collate: string, ctype: string) =>
    `ENCODING 'UTF8' LC_COLLATE ${pg.escapeLiteral(collate)} LC_CTYPE ${pg.escapeLiteral(ctype)}`;
  if (template !== "template0") {
    await maintenance.query(create);
  }
  // Another machine may not have the locale.
  else if (!(await attempt(maintenance, `${create} ${locale(manifest.collate, manifest.ctype)}`))) {
    await maintenance.query(`${create} ${locale("C", "C.UTF-8")}`);
  }
  await maintenance.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  await setProperties(maintenance, database, manifest);
}

export async function dropDatabase(maintenance: Pool, name: string): Promise<void> {
  await maintenance.query(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
}

const OBJECT_IN_USE = "55006";

/** How long a session that was told to end may take. ALTER DATABASE itself waits 5 s, which a busy machine exceeds. */
const ENDING_MS = 60_000;

/**
 * Ends whoever is connected to the databases, and does what needs them unused. Not autovacuum, which only a superuser may end,
 * and which ALTER DATABASE ends itself.
 */
async function whenUnused(maintenance: Pool, names: readonly string[], work: () => Promise<void>) {
  const deadline = performance.now() + ENDING_MS;
  for (;;) {
    await maintenance.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = ANY($1) AND backend_type <> 'autovacuum worker' AND pid <> pg_backend_pid()`,
      [names],
    );
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== OBJECT_IN_USE || performance.now() >= deadline) {
        throw error;
      }
    }
  }
}

/**
 * Gives the restored database its name. What has the name now is renamed, not dropped, unless it is empty: the last thing to
 * lose at three in the morning is what was there before.
 *
 * @returns the name of what was replaced; null when it is not there any more.
 */
export async function renameInto(
  maintenance: Pool,
  restored: string,
  name: string,
  state: TargetState,
  at: Date,
): Promise<string | null> {
  if (state === "missing") {
    await whenUnused(maintenance, [restored], async () => {
      await maintenance.query(`ALTER DATABASE ${quoteName(restored)} RENAME TO ${quoteName(name)}`);
    });
    return null;
  }
  const stamp = at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase();
  const replaced = `${name.slice(0, 40)}_before_${stamp}`;
  await maintenance.query(`ALTER DATABASE ${quoteName(name)} WITH ALLOW_CONNECTIONS false`);
  try {
    await whenUnused(maintenance, [name, restored], () =>
      // Both or neither: there is no moment without a database of this name.
      transaction(maintenance, async (client) => {
        await client.query(`ALTER DATABASE ${quoteName(name)} RENAME TO ${quoteName(replaced)}`);
        await client.query(`ALTER DATABASE ${quoteName(restored)} RENAME TO ${quoteName(name)}`);
      }),
    );
  } catch (cause) {
    await maintenance.query(`ALTER DATABASE ${quoteName(name)} WITH ALLOW_CONNECTIONS true`);
    throw new BackupError("RESTORE_FAILED", `${name} cannot be replaced: ${messageOf(cause)}.`, {
      hint: "Stop what is connected to it, then try again.",
      cause,
    });
  }
  if (state === "empty") {
    await dropDatabase(maintenance, replaced);
    return null;
  }
  await maintenance.query(`ALTER DATABASE ${quoteName(replaced)} WITH ALLOW_CONNECTIONS true`);
  return replaced;
}
