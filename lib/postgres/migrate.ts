import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CoreError } from "../core_errors.js";
import { messageOf } from "../errors.js";
import { packageRoot } from "../root.js";
import { type Client, connect, type Pool, type Queryable } from "./pool.js";

/** Database objects belong to this role, which nobody can log in as. */
const OWNER = "payments_owner";
/** Any constant: whoever migrates this database holds it. */
const LOCK_KEY = 7_291_530_001;

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

export interface MigrationStatus {
  readonly version: number;
  readonly name: string;
  readonly state: "applied" | "pending" | "changed" | "unknown";
  readonly appliedAt: string | null;
}

interface AppliedRow {
  version: number;
  name: string;
  sha256: string;
  applied_at: Date;
}

/** The files of db/migrations in order; `V0001__name.sql`, numbered without gaps. */
export function readMigrations(folder = join(packageRoot, "db", "migrations")): Migration[] {
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => {
      const match = /^V(\d{4})__([a-z0-9_]+)\.sql$/.exec(file);
      if (match === null) {
        throw new Error(`${file}: migrations are named V0001__what_it_does.sql`);
      }
      const sql = readFileSync(join(folder, file), "utf8");
      return {
        version: Number(match[1]),
        name: match[2] ?? "",
        sql,
        sha256: createHash("sha256").update(sql).digest("hex"),
      };
    });
  migrations.forEach((migration, i) => {
    if (migration.version !== i + 1) {
      throw new Error(`migration ${i + 1} is missing or stands twice`);
    }
  });
  return migrations;
}

/**
 * Applies what is pending, each file in a transaction of its own, unless its first line is `-- no-transaction`: such a file
 * holds one statement, because several sent together are one transaction anyway. Only one process migrates at a time; the
 * others wait and then find nothing to do.
 *
 * @param pool of the admin role, a member of the owner role.
 * @returns the migrations applied now.
 * @throws PlatformError SCHEMA_NEWER, SCHEMA_CHANGED, DATABASE_ENCODING; nothing is applied then.
 */
export async function migrateUp(pool: Pool, migrations = readMigrations()): Promise<Migration[]> {
  const client = await connect(pool);
  try {
    await requireUtf8(client);
    await client.query("SELECT pg_advisory_lock($1)", [LOCK_KEY]);
    await client.query(`SET ROLE ${OWNER}`);
    await createHistory(client);
    const status = await migrationStatus(client, migrations);
    refuseSurprises(status);
    const pending = migrations.filter((migration) => status[migration.version - 1]?.state === "pending");
    for (const migration of pending) {
      await apply(client, migration);
    }
    return pending;
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
  const { database, encoding } = rows[0] ?? {};
  if (encoding === "UTF8") {
    return;
  }
  throw new CoreError("DATABASE_ENCODING", `database ${database} is encoded in ${encoding}, not in UTF8.`, {
    hint: "An encoding cannot be changed. Make another database: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'.",
  });
}

/** Files and history side by side, in order of version. */
export async function migrationStatus(
  db: Queryable,
  migrations = readMigrations(),
): Promise<MigrationStatus[]> {
  const history = await readHistory(db);
  const status: MigrationStatus[] = migrations.map(({ version, name, sha256 }) => {
    const row = history.get(version);
    if (row === undefined) {
      return { version, name, state: "pending", appliedAt: null };
    }
    const state = row.sha256 === sha256 ? "applied" : "changed";
    return { version, name, state, appliedAt: row.applied_at.toISOString() };
  });
  for (const row of history.values()) {
    if (row.version > migrations.length) {
      const { version, name } = row;
      status.push({ version, name, state: "unknown", appliedAt: row.applied_at.toISOString() });
    }
  }
  return status;
}

/**
 * @throws PlatformError SCHEMA_NEWER, SCHEMA_CHANGED or SCHEMA_BEHIND unless the database is just what this code expects.
 */
export async function verifySchema(db: Queryable, migrations = readMigrations()): Promise<void> {
  const status = await migrationStatus(db, migrations);
  refuseSurprises(status);
  const pending = status.filter((row) => row.state === "pending");
  if (pending.length === 0) {
    return;
  }
  throw new CoreError(
    "SCHEMA_BEHIND",
    `the database lacks ${pending.length} migration(s), from ${label(pending[0])} on.`,
    {
      hint: "Run: payments migrate up.",
    },
  );
}

function refuseSurprises(status: readonly MigrationStatus[]): void {
  const unknown = status.find((row) => row.state === "unknown");
  if (unknown !== undefined) {
    throw new CoreError(
      "SCHEMA_NEWER",
      `the database has migration ${label(unknown)}, which this code does not know.`,
      {
        hint: "Use the version of payments-platform that made it, or a newer one.",
      },
    );
  }
  const changed = status.find((row) => row.state === "changed");
  if (changed !== undefined) {
    throw new CoreError("SCHEMA_CHANGED", `migration ${label(changed)} was edited after it was applied.`, {
      hint: "Restore the file and put the change into a new migration.",
    });
  }
}

function label(row: { version: number; name: string } | undefined): string {
  return row === undefined ? "?" : `V${String(row.version).padStart(4, "0")} (${row.name})`;
}

async function createHistory(client: Client): Promise<void> {
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS ops;
    CREATE TABLE IF NOT EXISTS ops.migration (
      version    integer     PRIMARY KEY,
      name       text        NOT NULL,
      sha256     text        NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(),
      took_ms    integer     NOT NULL
    );
    GRANT USAGE ON SCHEMA ops TO payments_loader, payments_exporter;
    GRANT SELECT ON ops.migration TO payments_loader, payments_exporter`);
}

async function readHistory(db: Queryable): Promise<Map<number, AppliedRow>> {
  const exists = await db.query<{ exists: boolean }>(
    "SELECT to_regclass('ops.migration') IS NOT NULL AS exists",
  );
  if (exists.rows[0]?.exists !== true) {
    return new Map();
  }
  const rows = await db.query<AppliedRow>(
    "SELECT version, name, sha256, applied_at FROM ops.migration ORDER BY version",
  );
  return new Map(rows.rows.map((row) => [row.version, row]));
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const started = performance.now();
  const bare = migration.sql.startsWith("-- no-transaction");
  try {
    if (!bare) {
      await client.query("BEGIN");
    }
    await client.query(migration.sql);
    await client.query("INSERT INTO ops.migration (version, name, sha256, took_ms) VALUES ($1, $2, $3, $4)", [
      migration.version,
      migration.name,
      migration.sha256,
      Math.round(performance.now() - started),
    ]);
    if (!bare) {
      await client.query("COMMIT");
    }
  } catch (error) {
    if (!bare) {
      await client.query("ROLLBACK").catch(() => undefined);
    }
    throw new Error(`migration ${label(migration)} failed: ${messageOf(error)}.`, { cause: error });
  }
}
