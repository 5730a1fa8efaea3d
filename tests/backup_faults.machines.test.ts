import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BackupFolder } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { backups, startBackups } from "./harness/process.js";
import { TcpProxy } from "./harness/proxy.js";
import { testSettings } from "./harness/settings.js";

/** A file system of its own that can be filled, as only root can make one. */
const MAY_MOUNT = process.getuid?.() === 0;

let database: string;
let folder: BackupFolder;
let id: string;
beforeAll(async () => {
  database = await createDatabase("seeded");
  folder = new BackupFolder();
  if (MAY_MOUNT) {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", folder.path]);
  }
  expect(await backups(settings(), "backup")).toMatchObject({ code: 0 });
  id = folder.ids()[0] ?? "";
});
afterAll(async () => {
  if (MAY_MOUNT) {
    execFileSync("umount", [folder.path]);
  }
  folder.remove();
  await dropDatabase(database);
});

const settings = (more: Record<string, string> = {}) => ({
  ...testSettings({ POSTGRES_DB: database, BACKUP_DIR: folder.path }),
  LOG_LEVEL: "info",
  ...more,
});

/** Sessions of backups on the test's database. */
async function sessions(): Promise<number> {
  const { rows } = await withPool({ role: "admin" }, (pool) =>
    pool.query(
      "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = $1 AND application_name = 'payments-backup'",
      [database],
    ),
  );
  return rows[0].n;
}

test("kill -9 in mid-dump leaves no backup, no pg_dump and no lock; retention keeps the last good one", async () => {
  const { child, ended } = startBackups(settings(), "backup");
  await eventually(
    "a dump under way",
    () =>
      folder
        .others()
        .some(
          (name) => existsSync(folder.file(name, "dump", "toc.dat")) || existsSync(folder.file(name, "dump")),
        ),
    {
      everyMs: 2,
    },
  );
  child.kill("SIGKILL");
  await ended;
  expect(folder.ids()).toEqual([id]);
  expect(folder.others()).toEqual([expect.stringMatching(/^dump-.*\.partial$/)]);
  await eventually("its programs gone", async () => (await sessions()) === 0);
  expect(JSON.parse((await backups(settings(), "list", "--json")).stdout)).toMatchObject([{ id }]);
  expect(await backups(settings(), "verify")).toMatchObject({ code: 0 });
  expect(
    await backups(settings({ BACKUP_KEEP_WEEKLY: "0", BACKUP_KEEP_MONTHLY: "0" }), "backup", "--retain"),
  ).toMatchObject({
    code: 0,
    stdout: "nothing to remove\n",
  });
  expect(folder.ids()).toEqual([id]);
  expect(folder.others()).toEqual([]);
});

test("Ctrl-C in mid-dump takes everything back", async () => {
  const { child, ended } = startBackups(settings(), "backup");
  await eventually("a dump under way", () => folder.others().length > 0, { everyMs: 2 });
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/INTERRUPTED: .*\n$/) });
  expect(folder.ids()).toEqual([id]);
  expect(folder.others()).toEqual([]);
  await eventually("its programs gone", async () => (await sessions()) === 0);
});

test.runIf(MAY_MOUNT)("a full disk leaves no backup, one line, and the last good one", async () => {
  const mount = (size: string) => execFileSync("mount", ["-o", `remount,size=${size}`, folder.path]);
  mount("6m"); // one dump takes 4.4 MB
  const failed = await backups(settings({ LOG_LEVEL: "error" }), "backup");
  mount("64m");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/^payments: BACKUP_FAILED: .*No space left on device.*\n$/i);
  expect(folder.ids()).toEqual([id]);
  expect(folder.others()).toEqual([]);
  const history = await withPool({ role: "admin", database }, (pool) =>
    pool.query("SELECT state, failure FROM ops.backup ORDER BY finished_at DESC LIMIT 1"),
  );
  expect(history.rows).toEqual([{ state: "failed", failure: expect.stringMatching(/no space left/i) }]);
  expect(await backups(settings(), "verify")).toMatchObject({ code: 0 });
});

test("while a backup is made another is refused, and so is a restore", async () => {
  const first = startBackups(settings(), "backup");
  await eventually("a dump under way", () => folder.others().length > 0, { everyMs: 2 });
  first.child.kill("SIGSTOP"); // however slow the second one is
  const refused = [await backups(settings(), "backup"), await backups(settings(), "verify")];
  first.child.kill("SIGCONT");
  for (const result of refused) {
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/BACKUP_BUSY: .*fuser -v/);
  }
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(folder.ids()).toHaveLength(2);
});

test("the loop backs up, drills and cleans on time, through an outage, until SIGTERM", async () => {
  const own = new BackupFolder();
  const { POSTGRES_HOST: host, POSTGRES_PORT: port } = settings();
  const proxy = await TcpProxy.open(() => ({ host, port }));
  const running = startBackups(
    settings({
      BACKUP_DIR: own.path,
      POSTGRES_PORT: String(proxy.port),
      BACKUP_INTERVAL_S: "1",
      BACKUP_DRILL_INTERVAL_S: "1",
      BACKUP_BASE_INTERVAL_S: "1", // this server archives nothing, so there is to be none
      BACKUP_KEEP_DAILY: "1",
      BACKUP_KEEP_WEEKLY: "0",
      BACKUP_KEEP_MONTHLY: "0",
    }),
    "loop",
  );
  const said = (text: string) => running.output.stderr.split(text).length - 1;
  await eventually("a dump and a drill", () => said("dump done") > 0 && said("restore drill done") > 0, {
    withinMs: 60_000,
  });
  proxy.refuse();
  proxy.reset();
  const failures = said("failed");
  await eventually("a failure", () => said("failed") > failures, { withinMs: 60_000 });
  proxy.pass();
  const dumps = said("dump done");
  const again = () => said("dump done") > dumps && said("retention: removing a backup") > 0;
  await eventually("another dump, and an old one removed", again, { withinMs: 60_000 });
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 0 });
  // The newest, and the newest that was verified.
  expect(own.ids().length).toBeLessThanOrEqual(2);
  expect(own.ids().every((name) => name.startsWith("dump-"))).toBe(true);
  expect(own.others()).toEqual([]);
  own.remove();
  await proxy.close();
});
