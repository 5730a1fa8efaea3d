import { CoreError } from "../core_errors.js";
import {
  idOf,
  label,
  type Migrated,
  type Migration,
  type MigrationId,
  readMigrations,
} from "./migrations.js";
import { one } from "./one.js";
import { type Client, type Pool, type Queryable, transaction } from "./pool.js";
import { loadSql } from "./sql.js";

export interface MigrationStatus extends MigrationId {
  readonly name: string;
  /** `newer`: this code does not know it, and may live with it; `unknown`: it may not. */
  readonly state: "applied" | "pending" | "changed" | "newer" | "unknown";
  readonly appliedAt: string | null;
}

interface AppliedRow extends MigrationId {
  readonly name: string;
  readonly sha256: string;
  readonly applied_at: Date;
  readonly breaking: boolean;
}

/** Makes the table of what was applied, or makes it of the one that was there before modules were. Whole or not at all. */
export async function createHistory(client: Client): Promise<void> {
  const { table, before } = await historyTables(client);
  if (!table || before !== "v") {
    await client.query(loadSql("history_create"));
  }
}

/** Files and history side by side: module for module in order of version, then what other code applied. */
export async function migrationStatus(
  db: Queryable,
  modules: readonly Migrated[],
): Promise<MigrationStatus[]> {
  const history = new Map((await readHistory(db)).map((row) => [idOf(row), row]));
  const known = modules.flatMap(readMigrations).map(({ module, version, name, sha256 }): MigrationStatus => {
    const id = idOf({ module, version });
    const row = history.get(id);
    history.delete(id);
    if (row === undefined) {
      return { module, version, name, state: "pending", appliedAt: null };
    }
    const state = row.sha256 === sha256 ? "applied" : "changed";
    return { module, version, name, state, appliedAt: row.applied_at.toISOString() };
  });
  const others = [...history.values()].map(({ module, version, name, breaking, applied_at }) => {
    const state = breaking ? ("unknown" as const) : ("newer" as const);
    return { module, version, name, state, appliedAt: applied_at.toISOString() };
  });
  return [...known, ...others];
}

/**
 * One connection to see that the database is there and is what these modules expect.
 *
 * @throws PlatformError POSTGRES_*, SCHEMA_*, ROLE_MISSING
 */
export async function requireSchema(pool: Pool, modules: readonly Migrated[]): Promise<void> {
  await transaction(pool, (client) => verifySchema(client, modules));
}

/**
 * Other modules are not looked at, nor is what was applied by newer code and does not break this one.
 *
 * @throws CoreError ROLE_MISSING, SCHEMA_NEWER, SCHEMA_CHANGED or SCHEMA_BEHIND unless the modules can work here.
 */
export async function verifySchema(db: Queryable, modules: readonly Migrated[]): Promise<void> {
  const roles = modules.flatMap((module) => module.roles);
  await requireRoles(db, roles);
  const pending = await pendingMigrations(db, modules);
  if (pending[0] !== undefined) {
    const problem = `the database lacks ${pending.length} migration(s), from ${label(pending[0])} on.`;
    throw new CoreError("SCHEMA_BEHIND", problem, { hint: "Run: payments migrate up." });
  }
}

/** @throws CoreError SCHEMA_NEWER, SCHEMA_CHANGED: nothing may be done to such a database. */
export async function pendingMigrations(
  db: Queryable,
  modules: readonly Migrated[],
): Promise<MigrationStatus[]> {
  const names = modules.map(({ name }) => name);
  const status = (await migrationStatus(db, modules)).filter(({ module }) => names.includes(module));
  const unknown = status.find((row) => row.state === "unknown");
  if (unknown !== undefined) {
    const problem = `the database has migration ${label(unknown)}, which this code does not know.`;
    const hint = "Use the version of payments-platform that made it, or a newer one.";
    throw new CoreError("SCHEMA_NEWER", problem, { hint });
  }
  const changed = status.find((row) => row.state === "changed");
  if (changed !== undefined) {
    const problem = `migration ${label(changed)} was edited after it was applied.`;
    const hint = "Restore the file and put the change into a new migration.";
    throw new CoreError("SCHEMA_CHANGED", problem, { hint });
  }
  return status.filter((row) => row.state === "pending");
}

/** @throws CoreError ROLE_MISSING naming those that the cluster lacks. */
export async function requireRoles(db: Queryable, roles: readonly string[]): Promise<void> {
  const { rows } = await db.query<{ role: string }>(
    "SELECT role FROM unnest($1::text[]) role WHERE role NOT IN (SELECT rolname FROM pg_roles) ORDER BY 1",
    [roles],
  );
  if (rows.length > 0) {
    const named = rows.map(({ role }) => role).join(", ");
    const hint = "Run db/roles.sql as a superuser; scripts/stack.sh up and compose do.";
    throw new CoreError("ROLE_MISSING", `PostgreSQL lacks the role(s) ${named}.`, { hint });
  }
}

/** Called after what is applied was, in its transaction if it has one. */
export async function record(client: Client, migration: Migration, tookMs: number): Promise<void> {
  const { module, version, name, sha256, breaking } = migration;
  await client.query(
    `INSERT INTO ops.module_migration (module, version, name, sha256, took_ms, breaking)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [module, version, name, sha256, Math.round(tookMs), breaking],
  );
}

async function readHistory(db: Queryable): Promise<AppliedRow[]> {
  const { table, before } = await historyTables(db);
  if (!table && before === null) {
    return [];
  }
  const current = "SELECT * FROM ops.module_migration ORDER BY module, version";
  return (await db.query<AppliedRow>(table ? current : loadSql("history_before_modules"))).rows;
}

/** Whether the table is there, and what has the name of the one before it: a table, a view or nothing. */
async function historyTables(db: Queryable): Promise<{ table: boolean; before: string | null }> {
  const { rows } = await db.query<{ table: boolean; before: string | null }>(
    `SELECT to_regclass('ops.module_migration') IS NOT NULL AS "table",
            (SELECT relkind FROM pg_class WHERE oid = to_regclass('ops.migration')) AS before`,
  );
  return one(rows);
}
