import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drill } from "../jobs/backup/drill.js";
import { withLock } from "../jobs/backup/lock.js";
import { restoreToTime } from "../jobs/backup/point_in_time.js";
import { restore } from "../jobs/backup/restore.js";
import { silentLogger } from "../lib/observability/log.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { backups } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

/** For root nothing is read-only but a file system (EROFS); for others a folder without the right to write is enough (EACCES). */
const ROOT = process.getuid?.() === 0;
const WHY = ROOT ? /EROFS: read-only file system/ : /EACCES: permission denied/;

let database: string;
let folder: BackupFolder;
let id: string;
beforeAll(async () => {
  database = await createDatabase("migrated");
  folder = new BackupFolder();
  expect(await backups(settings(), "backup")).toMatchObject({ code: 0 });
  id = folder.ids()[0] ?? "";
});
afterAll(async () => {
  folder.remove();
  await dropDatabase(database);
});

const settings = (more: Record<string, string> = {}) => ({
  ...testSettings({ POSTGRES_DB: database, BACKUP_DIR: folder.path }),
  LOG_LEVEL: "error",
  ...more,
});

/** With the lock file of the folder's own past, and as a copy without it. */
test.each([true, false])(
  "a backup into a folder that cannot be written is not called busy (lock file: %s)",
  async (lock) => {
    execFileSync("rm", ["-f", folder.file(".lock")]);
    if (lock) {
      writeFileSync(folder.file(".lock"), "");
    }
    await folder.readOnly(async () => {
      for (const command of ["backup", "retain"]) {
        const failed = await backups(settings(), command);
        if (command === "retain" && !ROOT && lock) {
          continue; // there was nothing to remove
        }
        expect(failed.stderr).toMatch(/^payments: BACKUP_FAILED: .*\n$/);
        expect(failed.stderr).toMatch(WHY);
        expect(failed.code).toBe(1);
      }
    });
    const { rows } = await withPool({ role: "admin", database }, (pool) =>
      pool.query("SELECT state, failure FROM ops.backup ORDER BY finished_at DESC LIMIT 1"),
    );
    expect(rows).toEqual([{ state: "failed", failure: expect.stringMatching(WHY) }]);
  },
);

test.each([true, false])(
  "verification and restore from read-only media succeed; no mark is said (lock file: %s)",
  async (lock) => {
    execFileSync("rm", ["-f", folder.file(".lock")]);
    if (lock) {
      writeFileSync(folder.file(".lock"), "");
    }
    const into = freshName();
    await folder.readOnly(async () => {
      const verified = await backups(settings(), "verify");
      expect(verified).toMatchObject({ code: 0, stderr: "" });
      expect(verified.stdout).toMatch(
        new RegExp(`^verified: ${id} .*\nno mark was written, so ${id} is not listed as verified: E`),
      );
      expect((await backups(settings(), "list")).stdout).toContain(id);
      if (lock) {
        return; // a restore takes the same way
      }
      expect(await backups(settings(), "restore", "--into", into)).toMatchObject({ code: 0 });
    });
    await dropDatabase(into);
  },
);

test("whoever reads a backup takes the lock first, before its sums are checked or it is looked for", async () => {
  const busy = new BackupFolder();
  const own = testSettings({ POSTGRES_DB: database, BACKUP_DIR: busy.path });
  const never = { force: false, dryRun: true, typeName: async () => "", onPlan: () => undefined };
  await withLock(join(busy.path, ".lock"), "exclusive", async () => {
    for (const work of [
      () => restore(own, { into: "elsewhere", ...never }),
      () => drill(own, silentLogger, { place: "database" }),
      () => restoreToTime(own, "2026-01-01T00:00:00Z", join(busy.path, "data")),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: "BACKUP_BUSY" });
    }
  });
  busy.remove();
});

test("a dry run names the roles that the server lacks", async () => {
  const copy = folder.copy(id);
  copy.editManifest(id, ({ objects, grants }) => {
    objects.push("right payments.account: absent_reader SELECT");
    grants.push({ role: "absent_client", privilege: "CONNECT" });
  });
  copy.renewSums(id);
  const dry = await backups(
    settings({ BACKUP_DIR: copy.path }),
    "restore",
    "--into",
    freshName(),
    "--dry-run",
  );
  expect(dry.code).toBe(0);
  expect(dry.stdout).toContain(
    "this server lacks roles that have rights in it: absent_client, absent_reader;",
  );
  copy.remove();
});
