import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Migration,
  migrateUp,
  migrationStatus,
  readMigrations,
  verifySchema,
} from "../lib/postgres/migrate.js";
import { createPool, type Pool } from "../lib/postgres/pool.js";
import { packageRoot } from "../lib/root.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { payments } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

/** On other majors pg_dump words the same schema differently; the schema itself is the same. */
const DUMP_MAJOR = 15;

let database: string;
let pool: Pool;
beforeEach(async () => {
  database = await createDatabase("empty");
  pool = createPool(testSettings(), { role: "admin", database, max: 1 });
});
afterEach(async () => {
  await pool.end();
  await dropDatabase(database);
});

/** Migrations of a test's own, numbered as they stand. */
function migrations(...files: string[]): Migration[] {
  return files.map((sql, i) => {
    const sha256 = createHash("sha256").update(sql).digest("hex");
    return { version: i + 1, name: `number_${i + 1}`, sql, sha256 };
  });
}

async function states(list?: Migration[]): Promise<string[]> {
  return (await migrationStatus(pool, list)).map((row) => `${row.version} ${row.state}`);
}

async function exists(relation: string): Promise<boolean> {
  const { rows } = await pool.query("SELECT to_regclass($1) IS NOT NULL AS found", [relation]);
  return rows[0].found;
}

test("up applies everything in order, then nothing; status and verify agree", async () => {
  const all = readMigrations();
  expect(await states()).toEqual(all.map((m) => `${m.version} pending`));
  await expect(verifySchema(pool)).rejects.toMatchObject({ code: "SCHEMA_BEHIND" });

  expect((await migrateUp(pool)).map((m) => m.version)).toEqual(all.map((m) => m.version));
  expect(await states()).toEqual(all.map((m) => `${m.version} applied`));
  await verifySchema(pool);

  expect(await migrateUp(pool)).toEqual([]);
  const { rows } = await pool.query(
    "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'payments'",
  );
  expect(rows).toEqual([{ tableowner: "payments_owner" }]);
});

test("of four ups at the same time one applies, the others find nothing to do", async () => {
  const pools = [1, 2, 3, 4].map(() => createPool(testSettings(), { role: "admin", database, max: 1 }));
  try {
    const applied = await Promise.all(pools.map((each) => migrateUp(each)));
    expect(applied.map((list) => list.length).sort()).toEqual([0, 0, 0, readMigrations().length]);
    await verifySchema(pool);
  } finally {
    for (const each of pools) {
      await each.end();
    }
  }
});

test("an edited migration is refused by name, and nothing is applied after it", async () => {
  const list = migrations("CREATE TABLE one ()", "CREATE TABLE two ()");
  await migrateUp(pool, list.slice(0, 1));
  const edited = migrations("CREATE TABLE one (id integer)", "CREATE TABLE two ()");
  const refusal = { code: "SCHEMA_CHANGED", message: expect.stringContaining("V0001 (number_1)") };
  await expect(migrateUp(pool, edited)).rejects.toMatchObject(refusal);
  await expect(verifySchema(pool, edited)).rejects.toMatchObject(refusal);
  expect(await states(edited)).toEqual(["1 changed", "2 pending"]);
  expect(await migrateUp(pool, list)).toHaveLength(1);
});

test("a database from a newer release is refused, and nothing is applied", async () => {
  const list = migrations("SELECT", "SELECT");
  await migrateUp(pool, list);
  const refusal = { code: "SCHEMA_NEWER", message: expect.stringContaining("V0002 (number_2)") };
  await expect(migrateUp(pool, list.slice(0, 1))).rejects.toMatchObject(refusal);
  await expect(verifySchema(pool, list.slice(0, 1))).rejects.toMatchObject(refusal);
  expect(await states(list.slice(0, 1))).toEqual(["1 applied", "2 unknown"]);
});

test("a migration that fails leaves nothing half done, and later ones wait for it", async () => {
  const broken = migrations(
    "CREATE TABLE one ()",
    "CREATE TABLE two (); SELECT 1 / 0; CREATE TABLE two_more ()",
    "CREATE TABLE three ()",
  );
  await expect(migrateUp(pool, broken)).rejects.toThrow("V0002 (number_2) failed: division by zero");
  expect(await states(broken)).toEqual(["1 applied", "2 pending", "3 pending"]);
  expect(await exists("two")).toBe(false);
  expect(await exists("three")).toBe(false);

  const mended = migrations("CREATE TABLE one ()", "CREATE TABLE two ()", "CREATE TABLE three ()");
  expect((await migrateUp(pool, mended)).map((m) => m.version)).toEqual([2, 3]);
});

test("a file that begins with -- no-transaction may do what no transaction allows", async () => {
  const sql = "CREATE INDEX CONCURRENTLY one_id ON one (id)";
  const list = migrations("CREATE TABLE one (id integer)", sql);
  await expect(migrateUp(pool, list)).rejects.toThrow("cannot run inside a transaction block");
  expect(await states(list)).toEqual(["1 applied", "2 pending"]);

  const bare = migrations("CREATE TABLE one (id integer)", `-- no-transaction\n${sql}`);
  expect(await migrateUp(pool, bare)).toHaveLength(1);
  expect(await exists("one_id")).toBe(true);
  expect(await states(bare)).toEqual(["1 applied", "2 applied"]);
});

test.each(["LATIN1", "SQL_ASCII"])(
  "a database in %s is refused before anything is applied",
  async (encoding) => {
    await withPool({ role: "admin" }, async (admin) => {
      await admin.query(`DROP DATABASE ${database}`);
      await admin.query(
        `CREATE DATABASE ${database} OWNER payments_owner TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`,
      );
    });
    const { code, stderr } = await payments({ ...testSettings(), POSTGRES_DB: database }, "migrate", "up");
    expect(stderr).toMatch(`payments: DATABASE_ENCODING: database ${database} is encoded in ${encoding}`);
    expect(code).toBe(1);
    const { rows } = await pool.query("SELECT FROM pg_namespace WHERE nspname IN ('ops', 'etl', 'payments')");
    expect(rows).toEqual([]);
  },
);

test("payments migrate up, status and verify as commands", async () => {
  const settings = { ...testSettings(), POSTGRES_DB: database };
  const all = readMigrations();
  const run = async (...args: string[]) => {
    const { code, stdout } = await payments(settings, "migrate", ...args, "--json");
    return { code, ...(stdout === "" ? {} : JSON.parse(stdout)) };
  };
  const behind = await payments(settings, "migrate", "verify");
  expect(behind).toMatchObject({ code: 1, stdout: "" });
  expect(behind.stderr).toMatch(/^payments: SCHEMA_BEHIND: .*payments migrate up\.\n$/);
  const applied = all.map(({ version, name }) => ({ version, name }));
  expect(await run("up")).toEqual({ code: 0, applied });
  expect(await run("up")).toEqual({ code: 0, applied: [] });
  expect(await run("status")).toMatchObject({
    code: 0,
    migrations: applied.map((m) => ({ ...m, state: "applied" })),
  });
  expect(await run("verify")).toEqual({ code: 0, ok: true, differences: [], additions: [] });
});

test("db/schema.sql is what the migrations add up to", async ({ skip }) => {
  const version = await pool.query("SELECT current_setting('server_version_num')::int / 10000 AS major");
  const { major } = version.rows[0];
  skip(major !== DUMP_MAJOR, `db/schema.sql is a dump of PostgreSQL ${DUMP_MAJOR}, this is ${major}`);
  await migrateUp(pool);
  const settings = testSettings();
  const { stdout } = await promisify(execFile)(join(packageRoot, "scripts", "schema_dump.sh"), {
    env: {
      PATH: process.env["PATH"],
      PGHOST: settings.POSTGRES_HOST,
      PGPORT: String(settings.POSTGRES_PORT),
      PGUSER: settings.POSTGRES_ADMIN_USER,
      PGPASSWORD: settings.POSTGRES_ADMIN_PASSWORD,
      PGDATABASE: database,
    },
  });
  const kept = readFileSync(join(packageRoot, "db", "schema.sql"), "utf8");
  expect(stdout, "db/schema.sql is stale; scripts/schema_dump.sh --help says how to renew it").toBe(kept);
});
