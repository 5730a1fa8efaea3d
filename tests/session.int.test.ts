import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { getRun } from "../etl/ledger/run.js";
import { seed } from "../etl/seed/seed.js";
import { migrateUp } from "../lib/postgres/migrate.js";
import { createPool } from "../lib/postgres/pool.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase, type Role, withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";
import { backups, payments } from "./harness/process.js";

/** What a DBA may have set for a role, a database or the server: other forms of values, other rules, limits on time. */
const HOSTILE: Readonly<Record<string, string>> = {
  DateStyle: "German",
  IntervalStyle: "iso_8601",
  TimeZone: "America/St_Johns",
  bytea_output: "escape",
  extra_float_digits: "-15",
  standard_conforming_strings: "off",
  escape_string_warning: "on",
  backslash_quote: "off",
  search_path: "pg_catalog",
  client_encoding: "LATIN1",
  array_nulls: "off",
  transform_null_equals: "on",
  quote_all_identifiers: "on",
  xmloption: "document",
  row_security: "off",
  exit_on_error: "on",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  synchronous_commit: "off",
  statement_timeout: "150ms",
  lock_timeout: "20ms",
  idle_in_transaction_session_timeout: "100ms",
  idle_session_timeout: "1s",
  work_mem: "64kB",
  default_statistics_target: "1",
  enable_hashjoin: "off",
};

let database: string;
let platform: Platform;
let folder: BackupFolder;
beforeAll(async () => {
  folder = new BackupFolder();
  database = await createDatabase("empty");
  // Each role may set its own.
  for (const role of ["admin", "loader"] as const) {
    await makeHostile(role, database);
  }
  platform = await Platform.on(database, { BACKUP_DIR: folder.path });
});
afterAll(async () => {
  folder.remove();
  await platform.close();
});

function makeHostile(role: Role, of: string): Promise<void> {
  return withPool(role === "backup" ? { role, database: of } : { role }, async (pool) => {
    for (const [name, value] of Object.entries(HOSTILE)) {
      await pool.query(`ALTER ROLE payments_${role} IN DATABASE ${of} SET ${name} = '${value}'`);
    }
  });
}

test("under hostile settings migrate, seed, runs, verify, heal, backup and restore do as ever", async () => {
  await withPool({ role: "admin", database }, (pool) => migrateUp(pool, MODULES));
  await makeHostile("backup", database);
  expect(await seed(platform.pool)).toBe(true);
  // A rate that needs all its digits: it decides the rows.
  const spec = { dirtRate: 0.0512345678901234, rows: 9_000 };
  const run = await platform.load(spec);
  expect((await getRun(platform.pool, run.runId)).spec.dirtRate).toBe(spec.dirtRate);
  await platform.load({ seed: 8, rows: 3_000 });
  expect((await platform.verify()).differences).toEqual([]);

  const digests = await platform.digests();
  const { settings } = platform;
  for (const args of [["status"], ["heal", "2025-02"], ["migrate", "verify"], ["verify"]]) {
    expect(await payments(settings, ...args)).toMatchObject({ code: 0, stderr: "" });
  }
  expect(await platform.digests()).toEqual(digests);

  expect(await backups(settings, "backup")).toMatchObject({ code: 0 });
  expect(await backups(settings, "verify")).toMatchObject({ code: 0 });
  const into = freshName();
  try {
    expect(await backups(settings, "restore", "--into", into)).toMatchObject({ code: 0 });
    await makeHostile("loader", into);
    expect(await payments({ ...settings, POSTGRES_DB: into }, "verify")).toMatchObject({ code: 0 });
  } finally {
    await dropDatabase(into);
  }
});

test("a session says what it is for, and keeps what is the DBA's to choose", async () => {
  const pool = createPool(platform.settings, { max: 1, applicationName: "payments-test" });
  const show = async (name: string) =>
    (await pool.query("SELECT current_setting($1) AS v", [name])).rows[0].v;
  try {
    expect(await show("application_name")).toBe("payments-test");
    expect(await show("synchronous_commit")).toBe("on");
    expect(await show("work_mem")).toBe("64kB");
    await pool.query(
      `ALTER ROLE payments_loader IN DATABASE ${database} SET synchronous_commit = 'remote_apply'`,
    );
  } finally {
    await pool.end();
  }
  await withPool({ role: "loader", database }, async (stricter) => {
    const { rows } = await stricter.query("SHOW synchronous_commit");
    expect(rows).toEqual([{ synchronous_commit: "remote_apply" }]);
  });
});

test("a server's settings do not end what takes long, nor what waits", async () => {
  await withPool({ role: "loader", database }, async (pool) => {
    const { rows } = await pool.query("SELECT pg_sleep(0.3)::text, now()::text AS at");
    expect(rows[0].at).toMatch(/^\d{4}-\d\d-\d\d .*\+00$/);
  });
});
