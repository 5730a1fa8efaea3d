import { CoreError } from "../core_errors.js";
import { messageOf } from "../errors.js";
import { createHistory, pendingMigrations, record, requireRoles } from "./history.js";
import { idOf, inOrder, label, type Migrated, type Migration } from "./migrations.js";
import { one } from "./one.js";
import { type Client, connect, type Pool, type Queryable } from "./pool.js";

/** Database objects belong to this role, which nobody can log in as. */
const OWNER = "payments_owner";
/** Any constant: whoever migrates this database holds it. */
const LOCK_KEY = 7_291_530_001;

/**
 * Applies what is pending, each file in a transaction of its own, unless its top says `-- no-transaction`: such a file
 * holds one statement, because several sent together are one transaction anyway. Only one process migrates at a time; the
 * others wait and then find nothing to do.
 *
 * @param pool of the admin role, a member of the owner role.
 * @returns the migrations applied now.
 * @throws CoreError MODULE_INVALID, ROLE_MISSING, SCHEMA_NEWER, SCHEMA_CHANGED, DATABASE_ENCODING; nothing is applied then.
 */
export async function migrateUp(pool: Pool, modules: readonly Migrated[]): Promise<Migration[]> {
  const ordered = inOrder(modules);
  const client = await connect(pool);
  try {
    await requireUtf8(client);
    await requireRoles(client, [OWNER, ...modules.flatMap(({ roles }) => roles)]);
    await client.query("SELECT pg_advisory_lock($1)", [LOCK_KEY]);
    await client.query(`SET ROLE ${OWNER}`);
    await createHistory(client);
    const pending = new Set((await pendingMigrations(client, modules)).map(idOf));
    const due = ordered.filter((migration) => pending.has(idOf(migration)));
    for (const migration of due) {
      await apply(client, migration);
    }
    return due;
  } finally {
    // Ends the session, and with it lock and role.
    client.release(true);
  }
}

/** Another encoding lacks characters of names and merchants, which would show in the middle of a migration or a load. */
async function requireUtf8(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ database: string; encoding: string }>(
    "SELECT current_database() AS database, current_setting('server_encoding') AS encoding",
  );
  const { database, encoding } = one(rows);
  if (encoding !== "UTF8") {
    throw new CoreError("DATABASE_ENCODING", `database ${database} is encoded in ${encoding}, not in UTF8.`, {
      hint: "An encoding cannot be changed. Make another database: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'.",
    });
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const started = performance.now();
  try {
    if (!migration.bare) {
      await client.query("BEGIN");
    }
    await client.query(migration.sql);
    await record(client, migration, performance.now() - started);
    if (!migration.bare) {
      await client.query("COMMIT");
    }
  } catch (error) {
    if (!migration.bare) {
      await client.query("ROLLBACK").catch(() => undefined);
    }
    throw new Error(`migration ${label(migration)} failed: ${messageOf(error)}.`, { cause: error });
  }
}
