import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { codeOf } from "../lib/errors.js";
import { migrationStatus, verifySchema } from "../lib/postgres/history.js";
import { migrateUp } from "../lib/postgres/migrate.js";
import { inOrder, type Migrated } from "../lib/postgres/migrations.js";
import { connect, createPool, type Pool } from "../lib/postgres/pool.js";
import { packageRoot } from "../lib/root.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { payments } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

/** On other majors pg_dump words the same schema differently; the schema itself is the same. */
const DUMP_MAJOR = 15;

const scratch = mkdtempSync(join(tmpdir(), "migrate-"));
afterAll(() => rmSync(scratch, { recursive: true }));

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

/** A module of the test's own, with files numbered as they stand. */
function desk(...files: string[]): Migrated {
  const migrations = join(scratch, randomBytes(4).toString("hex"));
  mkdirSync(migrations);
  for (const [i, sql] of files.entries()) {
    writeFileSync(join(migrations, `V000${i + 1}__number_${i + 1}.sql`), sql);
  }
  return { name: "desk", migrations, roles: [] };
}

async function states(module: Migrated): Promise<string[]> {
  return (await migrationStatus(pool, [module])).map((row) => `${row.version} ${row.state}`);
}

const up = (module: Migrated) => migrateUp(pool, [module]);
const verify = (module: Migrated) => verifySchema(pool, [module]);
const all = inOrder(MODULES);

async function exists(relation: string): Promise<boolean> {
  const { rows } = await pool.query("SELECT to_regclass($1) IS NOT NULL AS found", [relation]);
  return rows[0].found;
}

test("up applies everything in order, then nothing; status and verify agree", async () => {
  const every = async () => (await migrationStatus(pool, MODULES)).map(({ state }) => state);
  expect(await every()).toEqual(all.map(() => "pending"));
  await expect(verifySchema(pool, MODULES)).rejects.toMatchObject({ code: "SCHEMA_BEHIND" });

  expect(await migrateUp(pool, MODULES)).toEqual(all);
  expect(await every()).toEqual(all.map(() => "applied"));
  await verifySchema(pool, MODULES);

  expect(await migrateUp(pool, MODULES)).toEqual([]);
  const { rows } = await pool.query(
    "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'payments'",
  );
  expect(rows).toEqual([{ tableowner: "payments_owner" }]);
});

test("of four ups at the same time one applies, the others find nothing to do", async () => {
  const pools = [1, 2, 3, 4].map(() => createPool(testSettings(), { role: "admin", database, max: 1 }));
  try {
    const applied = await Promise.all(pools.map((each) => migrateUp(each, MODULES)));
    expect(applied.map((list) => list.length).sort()).toEqual([0, 0, 0, all.length]);
    await verifySchema(pool, MODULES);
  } finally {
    for (const each of pools) {
      await each.end();
    }
  }
});

test("an edited migration is refused by name, and nothing is applied after it", async () => {
  await up(desk("CREATE TABLE one ()"));
  const edited = desk("CREATE TABLE one (id integer)", "CREATE TABLE two ()");
  const refusal = { code: "SCHEMA_CHANGED", message: expect.stringContaining("desk V0001 (number_1)") };
  await expect(up(edited)).rejects.toMatchObject(refusal);
  await expect(verify(edited)).rejects.toMatchObject(refusal);
  expect(await states(edited)).toEqual(["1 changed", "2 pending"]);
  expect(await up(desk("CREATE TABLE one ()", "CREATE TABLE two ()"))).toHaveLength(1);
});

test("what newer code applied is let be, unless it says that it breaks older code", async () => {
  await up(desk("SELECT", "SELECT", "-- breaking"));
  const newer = desk("SELECT", "SELECT");
  const refusal = { code: "SCHEMA_NEWER", message: expect.stringContaining("desk V0003 (number_3)") };
  await expect(up(newer)).rejects.toMatchObject(refusal);
  await expect(verify(newer)).rejects.toMatchObject(refusal);
  expect(await states(newer)).toEqual(["1 applied", "2 applied", "3 unknown"]);

  await pool.query("SET ROLE payments_owner");
  await pool.query("UPDATE ops.module_migration SET breaking = false");
  await verify(newer);
  expect(await up(newer)).toEqual([]);
  expect(await states(newer)).toEqual(["1 applied", "2 applied", "3 newer"]);
});

test("a module is looked at alone: what breaks another, or what another lacks, is not its matter", async () => {
  const shop = { ...desk("-- breaking", "-- breaking"), name: "shop" };
  await migrateUp(pool, [desk("SELECT"), shop]);
  await verify(desk("SELECT"));
  const older = { ...desk("-- breaking"), name: "shop" };
  await expect(verifySchema(pool, [desk("SELECT"), older])).rejects.toMatchObject({ code: "SCHEMA_NEWER" });
  await expect(verifySchema(pool, [{ ...desk("SELECT"), name: "wing" }])).rejects.toMatchObject({
    code: "SCHEMA_BEHIND",
    message: expect.stringContaining("from wing V0001 (number_1) on"),
  });
});

test("modules are migrated in the order that they ask for", async () => {
  const shop = { ...desk("-- after desk 2\nCREATE TABLE goods () INHERITS (two)"), name: "shop" };
  const { migrations } = desk("CREATE TABLE one ()", "CREATE TABLE two ()");
  const applied = await migrateUp(pool, [shop, { name: "desk", migrations, roles: [] }]);
  expect(applied.map(({ module, version }) => module + version)).toEqual(["desk1", "desk2", "shop1"]);
});

test("a role that is not there is named before anything is applied, and by a process before it works", async () => {
  const module = { ...desk("CREATE TABLE one ()"), roles: ["payments_loader", "payments_desk"] };
  const refusal = { code: "ROLE_MISSING", message: expect.stringMatching(/role\(s\) payments_desk\.$/) };
  await expect(up(module)).rejects.toMatchObject(refusal);
  await expect(up(module)).rejects.toMatchObject({ hint: expect.stringContaining("db/roles.sql") });
  expect(await exists("ops.module_migration")).toBe(false);
  await up({ ...module, roles: [] });
  await expect(verify(module)).rejects.toMatchObject(refusal);
});

test("the history of before modules moves whole, also after an interruption, and with four ups at once", async () => {
  const etl = MODULES.filter(({ name }) => name === "etl");
  await migrateUp(pool, etl);
  const owner = await connect(pool);
  // As the release before modules kept it.
  await owner.query(
    `SET ROLE payments_owner;
     DROP VIEW ops.migration;
     CREATE TABLE ops.migration AS SELECT version, name, sha256, applied_at, took_ms FROM ops.module_migration;
     ALTER TABLE ops.migration ADD PRIMARY KEY (version);
     DROP TABLE ops.module_migration;
     RESET ROLE`,
  );
  const history = async (table: string) =>
    (await owner.query(`SELECT version, name, sha256, applied_at, took_ms FROM ${table} ORDER BY version`))
      .rows;
  const kept = await history("ops.migration");
  expect((await migrationStatus(owner, etl)).map(({ state }) => state)).toEqual(
    inOrder(etl).map(() => "applied"),
  );

  await owner.query("BEGIN; SELECT FROM ops.migration");
  const pools = [1, 2, 3, 4].map(() => createPool(testSettings(), { role: "admin", database, max: 1 }));
  try {
    const ups = pools.map((each) => migrateUp(each, etl).catch(codeOf));
    const stop = `SELECT pg_terminate_backend(l.pid) FROM pg_locks l
                  WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND NOT granted AND locktype = 'relation'`;
    await eventually(
      "one waits to drop the table",
      async () => ((await owner.query(stop)).rowCount ?? 0) > 0,
    );
    expect(await Promise.race(ups)).toBe("57P01");
    expect(await history("ops.migration")).toEqual(kept);
    await owner.query("COMMIT");
    const ended = await Promise.all(ups);
    expect(ended.filter((result) => Array.isArray(result) && result.length === 0)).toHaveLength(3);
  } finally {
    for (const each of pools) {
      await each.end();
    }
  }
  expect(await history("ops.module_migration WHERE module = 'etl'")).toEqual(kept);
  expect(await history("ops.migration")).toEqual(kept.slice(0, 5));
  owner.release();
  await verifySchema(pool, etl);
});

test("a migration that fails leaves nothing half done, and later ones wait for it", async () => {
  const broken = desk(
    "CREATE TABLE one ()",
    "CREATE TABLE two (); SELECT 1 / 0; CREATE TABLE two_more ()",
    "CREATE TABLE three ()",
  );
  await expect(up(broken)).rejects.toThrow("V0002 (number_2) failed: division by zero");
  expect(await states(broken)).toEqual(["1 applied", "2 pending", "3 pending"]);
  expect(await exists("two")).toBe(false);
  expect(await exists("three")).toBe(false);

  const mended = desk("CREATE TABLE one ()", "CREATE TABLE two ()", "CREATE TABLE three ()");
  expect((await up(mended)).map((m) => m.version)).toEqual([2, 3]);
});

test("a file that begins with -- no-transaction may do what no transaction allows", async () => {
  const sql = "CREATE INDEX CONCURRENTLY one_id ON one (id)";
  const list = desk("CREATE TABLE one (id integer)", sql);
  await expect(up(list)).rejects.toThrow("cannot run inside a transaction block");
  expect(await states(list)).toEqual(["1 applied", "2 pending"]);

  const bare = desk("CREATE TABLE one (id integer)", `-- no-transaction\n${sql}`);
  expect(await up(bare)).toHaveLength(1);
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
  const run = async (...args: string[]) => {
    const { code, stdout } = await payments(settings, "migrate", ...args, "--json");
    return { code, ...(stdout === "" ? {} : JSON.parse(stdout)) };
  };
  const behind = await payments(settings, "migrate", "verify");
  expect(behind).toMatchObject({ code: 1, stdout: "" });
  expect(behind.stderr).toMatch(/^payments: SCHEMA_BEHIND: .*payments migrate up\.\n$/);
  const applied = all.map(({ module, version, name }) => ({ module, version, name }));
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
  await migrateUp(pool, MODULES);
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
