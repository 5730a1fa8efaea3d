import { expect, test } from "vitest";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { backups, payments, startShell } from "./harness/process.js";

/** Long enough that a dump of it is over before it is. */
const SPEC = { rows: 100_000, chunkRows: 500 };

test("a backup in the middle of a run restores to a consistent state, and the run resumes from it to the same digests", async () => {
  const folder = new BackupFolder();
  const platform = await Platform.create({ BACKUP_DIR: folder.path });
  const worker = await platform.startWorker();
  const run = await platform.kickoff(SPEC);
  await eventually(
    "chunks cleaned",
    async () => (await platform.value<number>("SELECT count(*) FROM etl.chunk WHERE state = 'cleaned'")) > 5,
  );
  expect(await backups(platform.settings, "backup")).toMatchObject({ code: 0, stderr: "" });
  const [id = ""] = folder.ids();
  const { ledger, tables } = folder.manifest(id);
  const [position] = ledger;
  expect(position).toMatchObject({ run: run.runId, state: "running" });
  expect(position?.chunksCleaned).toBeGreaterThan(5);
  expect(position?.chunksCleaned).toBeLessThan(position?.chunksTotal ?? 0);
  const built = tables.filter(({ table }) => /^staging\.txn_r1_\d{4}_\d\d_leaf$/.test(table));
  expect(Math.max(...built.map(({ rows }) => rows))).toBeGreaterThan(0);
  await platform.done(run.runId);
  await platform.stopWorker(worker);
  const digests = await platform.digests();

  expect(await backups(platform.settings, "verify")).toMatchObject({ code: 0, stderr: "" });
  const into = freshName();
  expect(await backups(platform.settings, "restore", "--into", into)).toMatchObject({ code: 0 });
  // Nothing of the old broker: a vhost of its own.
  const restored = await Platform.on(into);
  expect(await restored.verify()).toMatchObject({ ok: true, unfinishedRuns: [run.runId] });
  await restored.startWorker();
  expect(await payments(restored.settings, "resume", run.runId)).toMatchObject({ code: 0 });
  await restored.done(run.runId);
  expect(await restored.verify()).toMatchObject({ ok: true, unfinishedRuns: [] });
  expect(await restored.digests()).toEqual(digests);
  await restored.close();
  await platform.close();
  folder.remove();
});

test("the loop backs up though its log goes nowhere", async () => {
  const folder = new BackupFolder();
  const platform = await Platform.create({ BACKUP_DIR: folder.path });
  const { child, ended } = startShell(platform.settings, "backups", 'exec "$@" loop 2>/dev/full');
  await eventually("a backup", () => folder.ids().length > 0, { withinMs: 60_000 });
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
  await platform.close();
  folder.remove();
});
