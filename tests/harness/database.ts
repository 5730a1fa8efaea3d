import { randomBytes } from "node:crypto";
import { seed } from "../../etl/seed/seed.js";
import { migrateUp } from "../../lib/postgres/migrate.js";
import { createPool, type Pool, type Queryable } from "../../lib/postgres/pool.js";
import { testSettings } from "./settings.js";

/** Migrated and seeded once per test stack; each test database is a copy of it, made in a fraction of a second. */
const TEMPLATE = "test_template";
/** Any constant: whoever makes the template holds it. */
const LOCK_KEY = 7_291_530_002;

/** A database that nobody has touched yet; `seeded` is ready for runs, `empty` has no schema. @returns its name. */
export async function createDatabase(kind: "seeded" | "empty" = "seeded"): Promise<string> {
  return asAdmin(async (admin) => {
    const name = `test_${randomBytes(6).toString("hex")}`;
    if (kind === "seeded") await ensureTemplate(admin);
    const template = kind === "seeded" ? `TEMPLATE ${TEMPLATE}` : "";
    await admin.query(`CREATE DATABASE ${name} OWNER payments_owner ${template}`);
    return name;
  });
}

export async function dropDatabase(name: string): Promise<void> {
  await asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

async function ensureTemplate(admin: Queryable): Promise<void> {
  await admin.query("SELECT pg_advisory_lock($1)", [LOCK_KEY]);
  try {
    const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1 AND datistemplate", [
      TEMPLATE,
    ]);
    if (rowCount === 1) return;
    await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${TEMPLATE} OWNER payments_owner`);
    await withPool({ role: "admin", database: TEMPLATE }, (pool) => migrateUp(pool));
    await withPool({ role: "loader", database: TEMPLATE }, seed);
    // The mark that it is complete, and protection from being written to.
    await admin.query(`ALTER DATABASE ${TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  } finally {
    await admin.query("SELECT pg_advisory_unlock($1)", [LOCK_KEY]);
  }
}

/** Runs `work` on one connection of the admin role to the stack's own database. */
function asAdmin<T>(work: (admin: Queryable) => Promise<T>): Promise<T> {
  return withPool({ role: "admin" }, work);
}

/** A pool for the length of `work`. */
export async function withPool<T>(
  options: { role: "admin" | "loader"; database?: string },
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = createPool(testSettings(), { ...options, max: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
