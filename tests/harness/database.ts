import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MODULES } from "../../app/modules.js";
import { migrateUp } from "../../lib/postgres/migrate.js";
import { inOrder } from "../../lib/postgres/migrations.js";
import type { Pool, Queryable, SettingsRole } from "../../lib/postgres/pool.js";
import { withPool as withPoolOf } from "../../lib/postgres/with_pool.js";
import { testSettings } from "./settings.js";

type Kind = "seeded" | "migrated" | "empty";

const SCHEMA = createHash("sha256")
  .update(
    inOrder(MODULES)
      .map((migration) => migration.sha256)
      .join(),
  )
  .digest("hex")
  .slice(0, 8);

/**
 * What each kind is a copy of, made in a fraction of a second from what is made once per test stack. Named by the migrations in
 * it, so that a kept stack does not serve yesterday's schema.
 */
const TEMPLATES: Readonly<Record<Kind, string>> = {
  empty: "template0",
  migrated: `test_migrated_${SCHEMA}`,
  seeded: `test_seeded_${SCHEMA}`,
};
/** Any constant: whoever makes the template holds it. */
const LOCK_KEY = 7_291_530_002;

/** A database that nobody has touched yet; `seeded` is ready for runs, `migrated` has no rows, `empty` no schema. @returns its name. */
export async function createDatabase(kind: Kind = "seeded"): Promise<string> {
  return asAdmin(async (admin) => {
    if (kind !== "empty") {
      await ensureTemplates(admin);
    }
    return create(admin, TEMPLATES[kind]);
  });
}

/** A copy of a database, whose sessions are ended for it. @returns its name. */
export async function copyDatabase(original: string): Promise<string> {
  return asAdmin(async (admin) => {
    // Not autovacuum, which only a superuser may end, and which CREATE DATABASE ends itself.
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend'`,
      [original],
    );
    return create(admin, original);
  });
}

async function create(admin: Queryable, template: string): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  // Copied as files, past the log: 0.1 s of work in place of 0.3 s.
  await admin.query(`CREATE DATABASE ${name} OWNER payments_owner TEMPLATE ${template} STRATEGY FILE_COPY`);
  return name;
}

export async function dropDatabase(name: string): Promise<void> {
  await asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

async function ensureTemplates(admin: Queryable): Promise<void> {
  await admin.query("SELECT pg_advisory_lock($1)", [LOCK_KEY]);
  try {
    await ensureTemplate(admin, "migrated", "empty", (database) =>
      withPool({ role: "admin", database }, (pool) => migrateUp(pool, MODULES)),
    );
    await ensureTemplate(admin, "seeded", "migrated", async (database) => {
      // Here, because it takes a tenth of a second to load and one file in twenty gets here.
      const { seed } = await import("../../etl/seed/seed.js");
      await withPool({ role: "loader", database }, seed);
    });
  } finally {
    await admin.query("SELECT pg_advisory_unlock($1)", [LOCK_KEY]);
  }
}

async function ensureTemplate(
  admin: Queryable,
  kind: Kind,
  from: Kind,
  fill: (database: string) => Promise<unknown>,
): Promise<void> {
  const name = TEMPLATES[kind];
  const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1 AND datistemplate", [
    name,
  ]);
  if (rowCount === 1) {
    return;
  }
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${name} OWNER payments_owner TEMPLATE ${TEMPLATES[from]}`);
  await fill(name);
  // The mark that it is complete, and protection from being written to.
  await admin.query(`ALTER DATABASE ${name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
}

/** Runs `work` on one connection of the admin role to the stack's own database. */
function asAdmin<T>(work: (admin: Queryable) => Promise<T>): Promise<T> {
  return withPool({ role: "admin" }, work);
}

export type Role = SettingsRole | "reader" | "exporter";

/** A pool of one connection for the length of `work`. */
export async function withPool<T>(
  options: { role: Role; database?: string },
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const { role, ...others } = options;
  if (role === "reader" || role === "exporter") {
    return withPoolOf(testSettings(credentials(role)), others, work);
  }
  return withPoolOf(testSettings(), { ...others, role }, work);
}

/** Of the roles that no command uses; stack.sh keeps their passwords beside the others. */
function credentials(role: Role): { POSTGRES_USER: string; POSTGRES_PASSWORD: string } {
  const file = join(process.env["STACK_DIR"] ?? "", "secrets", `${role}_password`);
  return { POSTGRES_USER: `payments_${role}`, POSTGRES_PASSWORD: readFileSync(file, "utf8").trim() };
}
