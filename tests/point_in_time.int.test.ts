import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { seed } from "../etl/seed/seed.js";
import { addressOf, withSession } from "../jobs/backup/address.js";
import { migrateUp } from "../lib/postgres/migrate.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { Cluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { backups } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

let cluster: Cluster;
const folder = new BackupFolder();
const database = freshName();
beforeAll(async () => {
  cluster = await Cluster.create();
});
afterAll(() => {
  cluster.remove();
  folder.remove();
});

const settings = () =>
  testSettings({ ...cluster.settings({ BACKUP_DIR: folder.path }), POSTGRES_DB: database });
const restoreTo = (time: string, data: string) =>
  backups(settings(), "restore", "--to-time", time, "--data", data);

test("a table dropped is back as it was one second before, and nothing that came after is", async () => {
  const { digests, before, end } = await cluster.up(async () => {
    await cluster.provision(database);
    await withSession(addressOf(settings(), "admin"), (pool) => migrateUp(pool, MODULES));
    await withSession(addressOf(settings(), "loader"), (pool) => seed(pool));
    const platform = await Platform.on(database, cluster.settings());
    const base = await backups(settings(), "backup", "--base");
    expect(base).toMatchObject({ code: 0, stderr: "" });
    // All of this is in the archive only.
    await platform.load({ rows: 2_000, toOn: "2025-02-01" });
    await leaveUnfinished(platform);
    const expected = await platform.digests();
    await cluster.superuser("CREATE TABLE payments.wanted ()", database);
    // Not waits for something: the moment that is restored lies between the two, and milliseconds of a Date are cut off.
    await sleep(50);
    const before = await cluster.superuser<Date>("SELECT clock_timestamp()", database);
    await sleep(50);
    await cluster.superuser("CREATE TABLE payments.unwanted ()", database);
    const dropped = await cluster.superuser<Date>("SELECT clock_timestamp()", database);
    await cluster.superuser("DROP TABLE payments.txn CASCADE", database);
    const last = await cluster.superuser<string>("SELECT pg_walfile_name(pg_switch_wal())", database);
    await eventually("the log archived", () => existsSync(join(cluster.wal, `${last}.gz`)));
    await platform.close();
    return { digests: expected, before, end: dropped };
  });
  expect(readdirSync(cluster.wal).filter((name) => name.endsWith(".partial"))).toEqual([]);

  const data = join(cluster.folder, "restored");
  const restored = await restoreTo(before.toISOString(), data);
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  expect(restored.stdout).toMatch(/: 0 difference\(s\)\n$/);
  await cluster.up(async () => {
    const platform = await Platform.on(database, cluster.settings());
    expect(await platform.digests()).toEqual(digests);
    expect(await platform.value("SELECT to_regclass('payments.wanted') IS NOT NULL")).toBe(true);
    expect(await platform.value("SELECT to_regclass('payments.unwanted') IS NULL")).toBe(true);
    await platform.close();
    // Without it nobody could later recover along the timeline that began here.
    await eventually("the new timeline archived", () => existsSync(join(cluster.wal, "00000002.history.gz")));
  }, data);

  await refusals(before, end);
});

/** Begins a run and stops in the middle of it: what it has built so far is to come back too. */
async function leaveUnfinished(platform: Platform): Promise<void> {
  const worker = await platform.startWorker();
  const { runId } = await platform.kickoff({ rows: 100_000, chunkRows: 1_000, toOn: "2025-02-01" });
  const cleaned = "SELECT count(*) FROM etl.chunk WHERE run_id = $1 AND state = 'cleaned'";
  await eventually("a chunk cleaned", async () => (await platform.value<number>(cleaned, [runId])) > 0);
  await platform.stopWorker(worker);
  expect(await platform.value("SELECT state FROM etl.run WHERE run_id = $1", [runId])).toBe("running");
}

/** On what the test above has made: each is one line, and leaves nothing. */
async function refusals(before: Date, end: Date): Promise<void> {
  const data = join(cluster.folder, "refused");
  const cases: [time: string, code: number, error: RegExp][] = [
    ["yesterday", 2, /RESTORE_REFUSED: yesterday is no time/],
    ["2026-01-31T12:00:00", 2, /RESTORE_REFUSED: .* is no time/],
    ["2020-01-01T00:00:00Z", 2, /BACKUP_UNKNOWN: no base backup was finished before 2020/],
    [
      new Date(end.getTime() + 3_600_000).toISOString(),
      1,
      /RESTORE_FAILED: .*recovery ended before .*archive_timeout/,
    ],
  ];
  for (const [time, code, error] of cases) {
    const result = await restoreTo(time, data);
    expect([time, result.code]).toEqual([time, code]);
    expect(result.stderr).toMatch(error);
    expect(result.stderr.split("\n")).toHaveLength(2);
    expect(existsSync(data)).toBe(false);
  }
  const filled = await restoreTo(before.toISOString(), join(cluster.folder, "restored"));
  expect(filled).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/RESTORE_REFUSED: .*restored is not empty/),
  });
  const [id = ""] = folder.ids();
  writeFileSync(folder.file(id, "base", "PG_VERSION"), "99\n");
  const damaged = await restoreTo(before.toISOString(), data);
  expect(damaged).toMatchObject({ code: 3, stderr: expect.stringMatching(/BACKUP_DAMAGED: .*PG_VERSION/) });
}

test("the archive keeps a segment that it has, takes it again when it is the same, and refuses another of its name", () => {
  const wal = cluster.own("segments");
  const script = join(process.cwd(), "scripts", "wal_archive.sh");
  const archive = (path: string) =>
    execFileSync("sh", [script, path, "000000010000000000000001", wal], { stdio: "pipe" });
  const [one, other] = ["one", "other"].map((name) => {
    const path = join(cluster.folder, name);
    writeFileSync(path, name);
    return path;
  });
  archive(one ?? "");
  archive(one ?? "");
  expect(() => archive(other ?? "")).toThrow("two servers archive into one folder");
  expect(execFileSync("gzip", ["-dc", join(wal, "000000010000000000000001.gz")], { encoding: "utf8" })).toBe(
    "one",
  );
});
