import { expect, test } from "vitest";
import { createBuilds } from "../etl/build/create.js";
import { type PlannedMonth, planRun } from "../etl/plan.js";
import { transaction } from "../lib/postgres/pool.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { backups, payments } from "./harness/process.js";

/** Long enough that a dump of it is over before it is. */
const SPEC = { rows: 40_000, chunkRows: 1_000 };

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

test("while a dump is read no month is begun, published or dropped, and nobody queues for a table", async () => {
  const platform = await Platform.create();
  const worker = await platform.startWorker();
  await withPool({ role: "backup", database: platform.settings.POSTGRES_DB }, async (pool) => {
    const run = await platform.kickoff({ rows: 10_000, toOn: "2025-02-01", chunkRows: 1_000 });
    await eventually(
      "a run under way",
      async () => (await platform.value("SELECT state FROM etl.run")) === "running",
    );
    await pool.query("BEGIN");
    await pool.query("SELECT etl.hold_publishing()");
    const [january] = planRun(run.spec).months;
    const begin = transaction(platform.pool, (client) =>
      createBuilds(client, "r8", [january as PlannedMonth]),
    );
    const drop = platform.pool.query("SELECT etl.drop_build('r9', '2025-01-01')");
    await eventually("three waiting", async () => (await waitingFor(platform)).length === 3);
    // Parallel pg_dump gives up when anybody queues for a table that it is about to read.
    expect(await waitingFor(platform)).toEqual(["etl.month", "etl.month", "etl.month"]);
    expect(await platform.value("SELECT count(*) FROM etl.month")).toBe(0);
    await pool.query("ROLLBACK");
    await Promise.all([begin, drop]);
    await platform.pool.query("SELECT etl.drop_build('r8', '2025-01-01')");
    await platform.done(run.runId);
  });
  await platform.stopWorker(worker);
  expect((await platform.verify()).differences).toEqual([]);
  await platform.close();
});

/** Tables that sessions of this database wait for. */
async function waitingFor(platform: Platform): Promise<string[]> {
  const { rows } = await platform.pool.query(
    `SELECT relation::regclass::text AS name FROM pg_locks
     WHERE NOT granted AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.map((row: { name: string }) => row.name);
}
