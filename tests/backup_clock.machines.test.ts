import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import type { AllSettings } from "../app/settings.js";
import { backup } from "../jobs/backup/backup.js";
import { drill } from "../jobs/backup/drill.js";
import { loop } from "../jobs/backup/loop.js";
import { prune } from "../jobs/backup/prune.js";
import { listBackups } from "../jobs/backup/store.js";
import { silentLogger } from "../lib/observability/log.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { read } from "./harness/monitoring.js";
import { backups } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

const YEAR_MS = 365 * 86_400_000;
const ONE_DAY = { BACKUP_KEEP_DAILY: 1, BACKUP_KEEP_WEEKLY: 0, BACKUP_KEEP_MONTHLY: 0 };

let database: string;
let folder: BackupFolder;
let settings: AllSettings;
beforeAll(async () => {
  database = await createDatabase("migrated");
});
afterAll(() => dropDatabase(database));
beforeEach(() => {
  folder = new BackupFolder();
  settings = testSettings({ POSTGRES_DB: database, BACKUP_DIR: folder.path });
});
afterEach(async () => {
  folder.remove();
  await sql("DELETE FROM ops.backup; DELETE FROM ops.restore_drill");
});

const sql = (text: string) => withPool({ role: "admin", database }, (pool) => pool.query(text));

/** Makes a dump by a clock that is wrong by so much. @returns its id. */
async function dumpAt(offsetMs: number): Promise<string> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + offsetMs });
  try {
    return (await backup(settings, silentLogger, "dump", { format: "directory" })).id;
  } finally {
    vi.useRealTimers();
  }
}

const listed = async () => (await listBackups(folder.path)).map(({ id }) => id);

test("after a clock that was a year ahead the next backup is the newest, is restored, and is kept", async () => {
  const old = await dumpAt(0);
  const ahead = await dumpAt(YEAR_MS);
  expect(await listed()).toEqual([old, ahead]);
  expect(await prune({ ...settings, ...ONE_DAY }, silentLogger)).toEqual([]);
  const fresh = await dumpAt(0);
  expect(await listed()).toEqual([fresh, ahead, old]);

  const list = await backups(settings, "list");
  expect(list.stderr).toContain(`the time of ${ahead} is still to come`);
  const dry = await backups(settings, "restore", "--latest", "--into", freshName(), "--dry-run");
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining(`would restore ${fresh} `) });
  expect(await drill(settings, silentLogger, { place: "database" })).toMatchObject({ backup: fresh });

  expect(await prune({ ...settings, ...ONE_DAY }, silentLogger)).not.toContain(fresh);
  expect(folder.ids()).toContain(fresh);
});

test("after a clock that was years behind the backup that it made is the newest, and is kept", async () => {
  const old = await dumpAt(0);
  const behind = await dumpAt(-5 * YEAR_MS);
  expect(folder.manifest(behind).madeAfter).toEqual([old]);
  expect(await listed()).toEqual([behind, old]);
  await prune({ ...settings, ...ONE_DAY }, silentLogger);
  expect(folder.ids()).toContain(behind);
});

test("the loop backs up and drills though the folder says that both were done in a year", async () => {
  const ahead = await dumpAt(YEAR_MS);
  const mark = { at: new Date(Date.now() + YEAR_MS).toISOString() };
  writeFileSync(folder.file(ahead, "verified.json"), JSON.stringify(mark));
  const stop = new AbortController();
  const running = loop({ ...settings, BACKUP_BASE_INTERVAL_S: 0 }, silentLogger, stop.signal);
  try {
    await eventually("a dump", () => folder.ids().length === 2, { withinMs: 30_000 });
    await eventually("a drill of it", async () => (await listBackups(folder.path))[0]?.verifiedAt != null, {
      withinMs: 30_000,
    });
    expect((await listed())[0]).not.toBe(ahead);
  } finally {
    stop.abort();
    await running;
  }
});

test("the history goes by the database's clock, whatever ours says", async () => {
  await dumpAt(YEAR_MS);
  await dumpAt(-YEAR_MS);
  const { rows } = await sql(
    "SELECT now() - started_at BETWEEN '0' AND '5 minutes' AND finished_at >= started_at AS sane FROM ops.backup",
  );
  expect(rows).toEqual([{ sane: true }, { sane: true }]);
});

/** What postgres_exporter is told to ask. */
async function asked(metric: string): Promise<Record<string, unknown>[]> {
  const { [metric]: entry } = parse(read("prometheus/postgres_exporter.yml")) as Record<
    string,
    { query: string }
  >;
  return withPool(
    { role: "exporter", database },
    async (pool) => (await pool.query(entry?.query ?? "")).rows,
  );
}

describe("metrics", () => {
  const row = (id: string, state: string, ago: string) =>
    sql(`INSERT INTO ops.backup (backup_id, kind, state, started_at, finished_at, failure)
         VALUES ('${id}', 'dump', '${state}', now() - interval '${ago}' - interval '1 minute', now() - interval '${ago}',
                 ${state === "failed" ? "'why'" : "NULL"})`);
  const drilled = (state: string, ago: string) =>
    sql(`INSERT INTO ops.restore_drill (backup_id, place, state, started_at, finished_at, failure)
         VALUES ('x', 'database', '${state}', now() - interval '${ago}', now() - interval '${ago}',
                 ${state === "failed" ? "'why'" : "NULL"})`);
  const hours = (rows: Record<string, unknown>[]) => Math.round(Number(rows[0]?.["age_seconds"]) / 3_600);
  const ahead = async (history: string) =>
    Number((await asked("payments_clock")).find((each) => each["history"] === history)?.["ahead_seconds"]);

  test("of backups and drills count nothing that is still to come, and say how far it is ahead", async () => {
    await row("a", "completed", "30 hours");
    await row("b", "failed", "1 hour");
    await row("c", "completed", "-8760 hours");
    await drilled("passed", "300 hours");
    await drilled("failed", "1 hour");
    await drilled("passed", "-8760 hours");
    const [dump, proof] = [await asked("payments_backup"), await asked("payments_restore_drill")];
    expect([hours(dump), dump[0]?.["last_ok"]]).toEqual([30, 0]);
    expect([hours(proof), proof[0]?.["last_ok"]]).toEqual([300, 0]);
    for (const history of ["dump", "restore drill"]) {
      expect((await ahead(history)) / 3_600).toBeCloseTo(8_760, 0);
    }
    const view =
      "SELECT round(dump_age_s / 3600) AS dump, last_ok, round(verified_age_s / 3600) AS drill, last_drill_ok, round(ahead_s / 3600) AS ahead FROM ops.backup_status";
    expect((await sql(view)).rows).toEqual([
      { dump: 30, last_ok: 0, drill: 300, last_drill_ok: 0, ahead: 8_760 },
    ]);
  });

  test("tell of a backup whose maker's clock is ahead, and of none when all is past", async () => {
    await row("dump-20251122T024107123Z", "completed", "1 hour");
    expect(await ahead("dump")).toBe(0);
    await dumpAt(YEAR_MS);
    expect((await ahead("dump")) / 3_600).toBeCloseTo(8_760, 0);
    expect(hours(await asked("payments_backup"))).toBe(0);
  });

  test("a database that was seeded in a year and has no backup counts as one without", async () => {
    await sql(`INSERT INTO etl.population (seed, accounts, merchants, terminals, seeded_at)
               VALUES (1, 1, 1, 1, now() + interval '1 year')`);
    expect(Number((await asked("payments_backup"))[0]?.["age_seconds"])).toBe(Number.POSITIVE_INFINITY);
    expect(Number((await asked("payments_restore_drill"))[0]?.["age_seconds"])).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect((await ahead("seed")) / 3_600).toBeCloseTo(8_760, 0);
  });

  test("of workers and runs are not fooled either", async () => {
    await sql(`INSERT INTO etl.worker (worker_id, heartbeat_at) VALUES ('dead', now() + interval '1 year');
               INSERT INTO etl.run (run_id, state, txn_rows, seed, from_on, to_on, dirt_rate, fraud_rate, chunk_rows,
                                    first_txn_id, generator_version, window_chunks, created_at, started_at)
               VALUES ('r1', 'running', 1, 1, '2025-01-01', '2025-02-01', 0, 0, 1, 1, 1, 1,
                       now() - interval '1 hour', now() + interval '1 year')`);
    expect((await asked("payments_workers"))[0]).toMatchObject({ alive: 0, silent: 0 });
    expect(Math.round(Number((await asked("payments_pipeline"))[0]?.["idle_seconds"]) / 60)).toBe(60);
    for (const history of ["worker", "ledger"]) {
      expect((await ahead(history)) / 3_600).toBeCloseTo(8_760, 0);
    }
  });
});
