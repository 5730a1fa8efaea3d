import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CatalogueChanges, catalogueChanges, changesSeenBy } from "../lib/postgres/catalogue.js";
import { connect, createPool, type Pool } from "../lib/postgres/pool.js";
import { loadSql } from "../lib/postgres/sql.js";
import { packageRoot } from "../lib/root.js";
import { copyDatabase, dropDatabase } from "./harness/database.js";
import { Platform } from "./harness/platform.js";
import { payments } from "./harness/process.js";

/** Two months published, another run in the midst of its own: leaves, builds and all. */
let platform: Platform;
let admin: Pool;
beforeAll(async () => {
  platform = await Platform.create();
  await platform.load({ rows: 3_000, fromOn: "2025-01-01", toOn: "2025-03-01", chunkRows: 1_500 });
  await platform.begin({ rows: 3_000, seed: 8 }, { staged: 2, cleaned: 1 });
  admin = createPool(platform.settings, { role: "admin", max: 1 });
});
afterAll(async () => {
  await admin.end();
  await platform.close();
});

/** What is seen after a change, which is undone. */
async function after(sql: string): Promise<CatalogueChanges> {
  const client = await connect(admin);
  try {
    await client.query("BEGIN; SET LOCAL ROLE payments_owner");
    await client.query(sql);
    return await changesSeenBy(client);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

// (a, b) IS DISTINCT FROM (c, d) OR … has other parentheses once it has been read back, as from a dump.
test("a view and a trigger that PostgreSQL prints otherwise after a restore are still the same", async () => {
  const client = await connect(admin);
  const lines = async () =>
    (await client.query<{ name: string; definition: string }>(loadSql("catalogue"))).rows
      .filter(({ name }) => name.includes("reread"))
      .map(({ name, definition }) => [name, definition]);
  const printed = async () => {
    const { rows } = await client.query<{ view: string; trigger: string }>(
      `SELECT pg_get_viewdef('ops.reread'::regclass) AS view, pg_get_triggerdef(oid) AS trigger
       FROM pg_trigger WHERE tgname = 'reread'`,
    );
    return rows[0] as { view: string; trigger: string };
  };
  try {
    await client.query("BEGIN; SET LOCAL ROLE payments_owner; SET LOCAL search_path = pg_catalog");
    await client.query(
      `CREATE VIEW ops.reread AS SELECT run_id FROM etl.run WHERE (run_id, state) IS DISTINCT FROM ('r1', 'done') OR state = 'x';
       CREATE TRIGGER reread BEFORE UPDATE ON saga.payment FOR EACH ROW
         WHEN ((NEW.amount, NEW.state) IS DISTINCT FROM (OLD.amount, OLD.state) OR OLD.state = 'DECLINED')
         EXECUTE FUNCTION saga.keep_payment()`,
    );
    const [before, first] = [await lines(), await printed()];
    expect(before).toHaveLength(2);
    await client.query("DROP VIEW ops.reread; DROP TRIGGER reread ON saga.payment");
    await client.query(`CREATE VIEW ops.reread AS ${first.view}; ${first.trigger}`);
    const second = await printed();
    expect([first.view === second.view, first.trigger === second.trigger]).toEqual([false, false]);
    expect(await lines()).toEqual(before);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
});

test("db/catalogue.txt is what the migrations add up to", async () => {
  const { settings } = platform;
  const copy = await copyDatabase(settings.POSTGRES_DB);
  try {
    const { stdout } = await promisify(execFile)(
      join(packageRoot, "scripts", "schema_dump.sh"),
      ["--catalogue"],
      {
        env: {
          PATH: process.env["PATH"],
          PGHOST: settings.POSTGRES_HOST,
          PGPORT: String(settings.POSTGRES_PORT),
          PGUSER: settings.POSTGRES_ADMIN_USER,
          PGPASSWORD: settings.POSTGRES_ADMIN_PASSWORD,
          PGDATABASE: copy,
        },
      },
    );
    const kept = readFileSync(join(packageRoot, "db", "catalogue.txt"), "utf8");
    expect(stdout, "db/catalogue.txt is stale; scripts/schema_dump.sh --help says how to renew it").toBe(
      kept,
    );
  } finally {
    await dropDatabase(copy);
  }
});

test("nothing differs, whoever asks, with months published and others being built", async () => {
  expect(await catalogueChanges(platform.pool)).toEqual({ differences: [], additions: [] });
  expect(await after("SELECT")).toEqual({ differences: [], additions: [] });
});

describe("a difference", () => {
  test.each([
    ["ALTER TABLE txn ADD note text", "column payments.txn.note was added (text)"],
    ["ALTER TABLE etl.run DROP redeliveries", "column etl.run.redeliveries is missing"],
    [
      "ALTER TABLE txn ALTER amount TYPE numeric(20, 4)",
      "column payments.txn.amount: expected numeric(14,2) not null, found numeric(20,4) not null",
    ],
    [
      "ALTER TABLE etl.run ALTER next_chunk SET DEFAULT 1",
      "column etl.run.next_chunk: expected integer not null default 0, found integer not null default 1",
    ],
    [
      "ALTER TABLE txn_reject ALTER reason DROP NOT NULL",
      "column payments.txn_reject.reason: expected text not null, found text",
    ],
    ["ALTER TABLE txn ADD CONSTRAINT small CHECK (amount < 5e9)", /^constraint payments.txn.small was added/],
    ["ALTER TABLE account DROP CONSTRAINT account_segment_check", /account_segment_check is missing$/],
    ["DROP INDEX txn_account_idx", "index payments.txn.txn_account_idx is missing"],
    [
      "CREATE UNIQUE INDEX one ON merchant (name, city, merchant_id)",
      /^unique index payments.merchant.one was added/,
    ],
    ["ALTER TABLE etl.worker SET UNLOGGED", "table etl.worker: expected nothing special, found unlogged"],
    ["ALTER TABLE txn_reject ENABLE ROW LEVEL SECURITY", /^table payments.txn_reject: .* row security$/],
    [
      "CREATE RULE no AS ON DELETE TO txn_reject DO INSTEAD NOTHING",
      /^rule payments.txn_reject.no was added/,
    ],
    ["DROP TABLE txn_reject", "table payments.txn_reject is missing"],
    ["DROP FUNCTION etl.hold_publishing()", "function etl.hold_publishing() is missing"],
    [
      "REVOKE INSERT ON txn_reject FROM payments_loader",
      /^right .*txn_reject: payments_loader INSERT is missing$/,
    ],
    [
      "CREATE OR REPLACE FUNCTION etl.leaf_name(month date) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'txn_' || month",
      "function etl.leaf_name(date) is not as the migrations made it",
    ],
    [
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON txn FOR EACH ROW EXECUTE FUNCTION f()",
      /^trigger payments.txn.t was added/,
    ],
    // What is a leaf's own.
    [
      "ALTER TABLE txn_2025_01 ADD CHECK (amount < 5e9)",
      /^constraint payments.txn_2025_01.txn_2025_01_amount_check was/,
    ],
    ["ALTER TABLE txn_2025_01 SET UNLOGGED", "partition payments.txn_2025_01 was added (unlogged)"],
    [
      "ALTER TABLE txn DETACH PARTITION txn_2025_02",
      "partition payments.txn_2025_02 was added (not attached to txn)",
    ],
    [
      "ALTER TABLE txn_2025_02 RENAME TO old",
      "partition payments.old was added (attached to txn, but of no month)",
    ],
    [
      "CREATE TABLE rest PARTITION OF txn DEFAULT",
      "partition payments.rest was added (attached to txn, but of no month)",
    ],
  ])("%s", async (sql, difference) => {
    const { differences } = await after(sql);
    expect(differences).toEqual([
      typeof difference === "string" ? difference : expect.stringMatching(difference),
    ]);
  });
});

test("what is in nobody's way is told and no difference", async () => {
  const { differences, additions } = await after(`
    CREATE INDEX mine ON txn (network);
    CREATE INDEX mine_too ON txn_2025_01 (status);
    CREATE TABLE payments.notes (id integer PRIMARY KEY, note text DEFAULT '' CHECK (note <> 'x'));
    CREATE VIEW payments.recent AS SELECT * FROM txn;
    CREATE FUNCTION payments.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    GRANT SELECT ON txn TO payments_exporter;
    CREATE STATISTICS payments.s ON merchant_id, network FROM txn;
    ALTER TABLE txn ALTER network SET STATISTICS 1000;
    ALTER TABLE txn_reject SET (fillfactor = 90);
    ALTER TABLE txn_2025_01 SET (autovacuum_vacuum_scale_factor = 0.01);
    ALTER INDEX txn_2025_01_account_idx SET (fillfactor = 80);
    ALTER TABLE etl.run ALTER state SET STORAGE plain;
    COMMENT ON TABLE txn IS 'ours'`);
  expect(differences).toEqual([]);
  expect(additions.map((addition) => addition.replace(/ \(.*/, ""))).toEqual([
    "function payments.mine() was added",
    "index payments.txn.mine was added",
    "index payments.txn_2025_01.mine_too was added",
    "right payments.txn: payments_exporter SELECT was added",
    "table payments.notes was added",
    "view payments.recent was added",
  ]);
});

test("migrate verify and verify end with 3, doctor with 1, and each names it", async () => {
  await admin.query(
    "SET ROLE payments_owner; ALTER TABLE payments.txn ADD note text; CREATE INDEX mine ON payments.txn (network)",
  );
  const run = (...args: string[]) => payments(platform.settings, ...args);
  expect(await run("migrate", "verify")).toEqual({
    code: 3,
    stderr: "",
    stdout: expect.stringMatching(
      /^column payments\.txn\.note was added \(text\)\nharmless: index payments\.txn\.mine was added \(.*\)\nSCHEMA_DRIFT: 1 difference\(s\)\n$/,
    ),
  });
  const json = await run("migrate", "verify", "--json");
  expect({ code: json.code, ...JSON.parse(json.stdout) }).toMatchObject({
    code: 3,
    ok: false,
    differences: ["column payments.txn.note was added (text)"],
  });
  const verified = await run("verify");
  expect(verified.code).toBe(3);
  expect(verified.stdout).toContain("structure: column payments.txn.note was added (text)\n");
  const doctor = await run("doctor");
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toMatch(/schema +FAIL +SCHEMA_DRIFT: column payments\.txn\.note was added \(text\)/);
});
