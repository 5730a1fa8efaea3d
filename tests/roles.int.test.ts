import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { migrateUp } from "../lib/postgres/migrate.js";
import type { Pool } from "../lib/postgres/pool.js";
import { createDatabase, dropDatabase, type Role, withPool } from "./harness/database.js";
import { testSettings } from "./harness/settings.js";

const DENIED = "42501";
const DIMENSIONS = ["payments.account", "payments.merchant", "payments.terminal"];
const AGGREGATES = ["payments.agg_merchant_day", "payments.agg_network_hour"];

/** A build of r1 whose rule takes just what is said here for right. */
const createBuild = (month: string) =>
  `etl.create_builds('r1', '{${month}}', '{${month}}', '{2031-04-01}', '{"max_amount": 100, "currencies": ["EUR"],
     "kinds": ["purchase"], "channels": ["pos"], "networks": ["visa"], "statuses": ["approved"], "response_codes": ["00"]}')`;
/** As workers of before V0007 call it. */
const createBuildBefore = (month: string, currencies = "'{EUR}'") =>
  `etl.create_builds('r2', '{${month}}', '{${month}}', '{2031-04-01}', 100, ${currencies}, '{purchase}', '{pos}', '{visa}',
                     '{approved}', '{00}')`;
/** Of the owner alone; whoever has a right to call them may name any table. */
const INTERNAL = [
  "etl.make_leaf('payments', 'mine', '2031-01-01')",
  "etl.index_leaf('txn_2031_01')",
  "etl.attach_leaf('txn_2031_01', '2031-01-01')",
];
/** For the loader. */
const PIPELINE = [
  createBuild("2031-03-01"),
  createBuildBefore("2031-03-01"),
  "etl.publish_build('r1', '2031-02-01')",
  "etl.drop_build('r1', '2031-02-01')",
  "etl.build_name('r1', '2031-02-01')",
  "etl.create_healed_leaf('2031-01-01')",
];

/** A database whose January 2031 is published, with one row, and whose February is being built. */
let database: string;
beforeAll(async () => {
  database = await createDatabase("seeded");
  await as("loader", async (pool) => {
    await pool.query(`SELECT ${createBuild("2031-01-01")}, ${createBuild("2031-02-01")}`);
    const account = "(SELECT min(account_id) FROM payments.account)";
    const terminal = "FROM payments.terminal ORDER BY terminal_id LIMIT 1";
    await pool.query(
      `INSERT INTO staging.txn_r1_2031_01
       SELECT 1, '2031-01-05', ${account}, merchant_id, terminal_id, 9.99, 'EUR', 'purchase', 'pos', 'visa', 'approved',
              '00', NULL, false ${terminal}`,
    );
    await pool.query("SELECT etl.publish_build('r1', '2031-01-01')");
  });
});
afterAll(() => dropDatabase(database));

function as<T>(role: Role, work: (pool: Pool) => Promise<T>): Promise<T> {
  return withPool({ role, database }, work);
}

/** The SQLSTATE with which a statement fails, `done` when it does not; it is undone in any case. */
async function outcome(role: Role, sql: string): Promise<string> {
  return as(role, async (pool) => {
    // The reader's read-only default is a guard, not a right: what counts is what happens without it.
    await pool.query("SET default_transaction_read_only = off");
    await pool.query("BEGIN");
    return pool.query(sql).then(
      () => "done",
      (error: { code: string; message: string }) => (error.code === DENIED ? DENIED : error.message),
    );
  });
}

describe("the loader", () => {
  test.each([
    "DROP TABLE payments.txn",
    "TRUNCATE payments.txn",
    "TRUNCATE payments.txn_2031_01",
    "ALTER TABLE payments.txn ADD COLUMN more text",
    "ALTER TABLE payments.txn DETACH PARTITION payments.txn_2031_01",
    "DROP INDEX payments.txn_account_idx",
    "CREATE INDEX ON payments.txn (amount)",
    "UPDATE payments.txn SET amount = 0",
    "UPDATE payments.txn_2031_01 SET amount = 0",
    "DELETE FROM payments.txn",
    "DELETE FROM payments.txn_2031_01",
    "UPDATE payments.txn_reject SET reason = ''",
    "DELETE FROM payments.account",
    "UPDATE payments.merchant SET name = ''",
    "CREATE TABLE payments.mine ()",
    "CREATE TABLE etl.mine ()",
    "CREATE TABLE public.mine ()",
    "CREATE SCHEMA mine",
    "DROP TABLE staging.txn_shape",
    "INSERT INTO ops.migration VALUES (99, 'x', 'x', now(), 0)",
    "CREATE OR REPLACE FUNCTION etl.drop_build(run text, month date) RETURNS void LANGUAGE sql AS ''",
    "CREATE TABLE staging.mine ()",
    "DROP TABLE staging.txn_r1_2031_02",
    "TRUNCATE staging.txn_r1_2031_02",
    "ALTER TABLE staging.txn_r1_2031_02 DETACH PARTITION staging.txn_r1_2031_02_leaf",
    "DELETE FROM staging.txn_r1_2031_02_leaf",
    "UPDATE staging.txn_r1_2031_02 SET amount = 0",
    "SELECT etl.hold_publishing()",
    ...INTERNAL.map((call) => `SELECT ${call}`),
    "SELECT FROM pg_authid",
    "CREATE ROLE mine",
    "SET ROLE payments_owner",
    "COPY payments.txn TO '/tmp/txn'",
    "COPY payments.txn TO PROGRAM 'cat'",
  ])("may not: %s", async (sql) => {
    expect(await outcome("loader", sql)).toBe(DENIED);
  });

  test.each([
    "SELECT FROM payments.txn",
    "INSERT INTO staging.txn_r1_2031_02_leaf SELECT txn_id, '2031-02-05', account_id, merchant_id, terminal_id, amount, currency, kind, channel, network, status, response_code, original_txn_id, is_fraud FROM payments.txn",
    "DELETE FROM payments.agg_merchant_day",
    "UPDATE payments.agg_merchant_day SET amount = 0",
    "DELETE FROM payments.txn_reject",
    "DELETE FROM etl.chunk",
    "INSERT INTO staging.txn_r1_2031_02 (txn_id) VALUES (5)",
    "DELETE FROM staging.txn_r1_2031_02_suspect",
    "LOCK TABLE staging.txn_r1_2031_02_leaf IN ACCESS SHARE MODE",
    ...PIPELINE.map((call) => `SELECT ${call}`),
    "SELECT etl.create_healed_leaf('2031-01-01'), etl.index_healed_leaf('2031-01-01'), etl.swap_healed_leaf('2031-01-01')",
    "SELECT FROM ops.migration",
  ])("may, because the pipeline does: %s", async (sql) => {
    expect(await outcome("loader", sql)).toBe("done");
  });

  test.each([
    "etl.build_name('r1', '2031-03-02')",
    "etl.build_name('r1', NULL)",
    "etl.build_name('r1', 'infinity')",
    "etl.build_name(NULL, '2031-03-01')",
    "etl.build_name('', '2031-03-01')",
    "etl.build_name('r1_leaf', '2031-03-01')",
    "etl.build_name(E'r1\\n', '2031-03-01')",
    "etl.build_name('r1; DROP TABLE payments.txn', '2031-03-01')",
    "etl.drop_build('shape', '2031-03-01')",
    "etl.publish_build('r1', '2031-01-02')",
    createBuild("2031-03-02"),
  ])("builds months of runs only, not: %s", async (call) => {
    expect(await outcome("loader", `SELECT ${call}`)).toMatch(/are not a run and the first day of a month/);
  });

  test("heals whole months only, and builds none twice", async () => {
    for (const month of ["'2031-03-02'", "NULL"]) {
      expect(await outcome("loader", `SELECT etl.create_healed_leaf(${month})`)).toContain(
        "not the first day",
      );
    }
    expect(await outcome("loader", `SELECT ${createBuild("2031-02-01")}`)).toContain("already exists");
  });

  test("cannot slip anything into a build's rule", async () => {
    const code = "{\"EUR')) IS NULL) OR true OR ((' \\\\ %1$s $build$\"}";
    await as("loader", (pool) => pool.query(`SELECT ${createBuildBefore("2031-02-01", "$1")}`, [code]));
    await as("loader", (pool) => pool.query("INSERT INTO staging.txn_r2_2031_02 (txn_id) VALUES (1)"));
    const { rows } = await as("loader", (pool) =>
      pool.query("SELECT count(*) FROM staging.txn_r2_2031_02_suspect"),
    );
    expect(rows).toEqual([{ count: 1 }]);
  });

  test("a build's rule is the same by names and by places, and wants every list", async () => {
    const { rows: rules } = await as("loader", async (pool) => {
      await pool.query("BEGIN");
      await pool.query(`SELECT ${createBuild("2031-03-01")}, ${createBuildBefore("2031-03-01")}`);
      return pool.query(
        "SELECT pg_get_partkeydef(oid) AS rule FROM pg_class WHERE relname ~ '^txn_r._2031_03$'",
      );
    });
    expect(rules).toHaveLength(2);
    expect(rules[0]).toEqual(rules[1]);
    const incomplete = createBuild("2031-03-01").replace('"kinds"', '"kind"');
    expect(await outcome("loader", `SELECT ${incomplete}`)).toContain("a list is missing");
  });
});

describe("the reader", () => {
  test.each([...DIMENSIONS, ...AGGREGATES, "payments.txn", "payments.txn_reject", "payments.txn_2031_01"])(
    "may read %s, not write it",
    async (table) => {
      expect(await outcome("reader", `SELECT FROM ${table}`)).toBe("done");
      for (const sql of [
        `INSERT INTO ${table} SELECT * FROM ${table}`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table}`,
      ]) {
        expect([sql, await outcome("reader", sql)]).toEqual([sql, DENIED]);
      }
    },
  );

  test.each([
    "SELECT FROM staging.txn_r1_2031_02",
    "SELECT FROM staging.txn_r1_2031_02_leaf",
    "SELECT FROM etl.run",
    "SELECT FROM etl.chunk_class",
    ...[...PIPELINE, ...INTERNAL].map((call) => `SELECT ${call}`),
    "SELECT FROM staging.txn_shape",
    "SELECT FROM ops.migration",
    "SELECT FROM pg_authid",
    "CREATE TABLE payments.mine ()",
  ])("may not: %s", async (sql) => {
    expect(await outcome("reader", sql)).toBe(DENIED);
  });

  test("is read-only unless it says otherwise", async () => {
    const setting = await as("reader", (pool) => pool.query("SHOW default_transaction_read_only"));
    expect(setting.rows).toEqual([{ default_transaction_read_only: "on" }]);
  });
});

describe("the exporter", () => {
  test.each([
    "SELECT FROM payments.txn",
    "SELECT FROM payments.txn_2031_01",
    "SELECT FROM payments.txn_reject",
    ...DIMENSIONS.map((table) => `SELECT FROM ${table}`),
    "UPDATE etl.run SET state = 'done'",
    "DELETE FROM payments.agg_merchant_day",
    "SELECT FROM staging.txn_r1_2031_02_leaf",
    ...[...PIPELINE, ...INTERNAL].map((call) => `SELECT ${call}`),
  ])("may not: %s", async (sql) => {
    expect(await outcome("exporter", sql)).toBe(DENIED);
  });

  test.each([
    ...AGGREGATES.map((table) => `SELECT FROM ${table}`),
    "SELECT FROM etl.run",
    "SELECT query FROM pg_stat_activity",
    "SELECT pg_total_relation_size('payments.txn_2031_01')",
  ])("may: %s", async (sql) => {
    expect(await outcome("exporter", sql)).toBe("done");
  });
});

test("the backup role reads everything and writes nothing but its own history", async () => {
  for (const table of [
    "payments.txn",
    "payments.account",
    "etl.run",
    "ops.migration",
    "staging.txn_r1_2031_02",
  ]) {
    expect(await outcome("backup", `SELECT FROM ${table}`)).toBe("done");
  }
  expect(await outcome("backup", "DELETE FROM payments.txn")).toBe(DENIED);
  expect(await outcome("backup", "INSERT INTO etl.month VALUES ('2031-05-01')")).toBe(DENIED);
  for (const call of [...PIPELINE, ...INTERNAL]) {
    expect(await outcome("backup", `SELECT ${call}`)).toBe(DENIED);
  }
  expect(await outcome("backup", "LOCK TABLE etl.month IN EXCLUSIVE MODE")).toBe(DENIED);
  const entry = "VALUES ('x', 'dump', 'completed', now(), now(), 1, 1)";
  const columns = "backup_id, kind, state, started_at, finished_at, bytes, row_count";
  expect(await outcome("backup", `INSERT INTO ops.backup (${columns}) ${entry}`)).toBe("done");
  expect(await outcome("backup", "DELETE FROM ops.backup")).toBe(DENIED);
  expect(await outcome("backup", "UPDATE ops.restore_drill SET state = 'passed'")).toBe(DENIED);
  expect(await outcome("loader", "SELECT etl.hold_publishing()")).toBe(DENIED);
  expect(await outcome("exporter", "SELECT FROM ops.backup_status")).toBe("done");
});

test("no role that logs in has powers beyond its rights, but for postgres, and the backup role's to copy the cluster", async () => {
  const { rows } = await as("admin", (pool) =>
    pool.query(
      `SELECT rolname, rolsuper OR rolcreaterole OR rolbypassrls AS beyond FROM pg_roles
       WHERE rolcanlogin AND (rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls) ORDER BY 1`,
    ),
  );
  expect(rows).toEqual([
    { rolname: "payments_backup", beyond: false },
    { rolname: "postgres", beyond: true },
  ]);
});

test("nothing of ours is granted to everybody", async () => {
  const { rows } = await as("admin", (pool) =>
    pool.query(
      `SELECT c.relname AS what FROM pg_class c, aclexplode(c.relacl) a
       WHERE a.grantee = 0 AND c.relnamespace::regnamespace::text = ANY ('{payments,staging,etl,ops}')
       UNION ALL
       SELECT nspname FROM pg_namespace n, aclexplode(n.nspacl) a
       WHERE a.grantee = 0 AND nspname = ANY ('{payments,staging,etl,ops}')`,
    ),
  );
  expect(rows).toEqual([]);
});

test("in a freshly migrated database any client finds txn without its schema", async () => {
  const fresh = await createDatabase("empty");
  try {
    await withPool({ role: "admin", database: fresh }, (pool) => migrateUp(pool, MODULES));
    const settings = testSettings();
    const client = new pg.Client({
      host: settings.POSTGRES_HOST,
      port: settings.POSTGRES_PORT,
      user: settings.POSTGRES_USER,
      password: settings.POSTGRES_PASSWORD,
      database: fresh,
    });
    await client.connect();
    const { rows } = await client.query("SELECT count(*) FROM txn");
    await client.end();
    expect(rows).toEqual([{ count: "0" }]);
  } finally {
    await dropDatabase(fresh);
  }
});
