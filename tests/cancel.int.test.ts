import { afterEach, beforeEach, expect, test } from "vitest";
import { requestedRows } from "../etl/ledger/new_run.js";
import { cancelRun } from "../etl/runs/cancel.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

// Chunks enough that a run which is seen to be under way stays so until it is cancelled, on a quick machine too.
const LONG = { rows: 120_000, chunkRows: 1_000 };

const cleaned = () => platform.value<number>("SELECT count(*) FROM etl.chunk WHERE state = 'cleaned'");

test("a run cancelled in mid-run leaves its finished months and nothing else", async () => {
  const worker = await platform.startWorker();
  const run = await platform.kickoff({ ...LONG, toOn: "2026-01-01" });
  await eventually("a month done", () => platform.value<boolean>("SELECT months_done > 0 FROM etl.run"), {
    everyMs: 5,
  });
  await cancelRun(platform.pool, run.runId);
  await platform.stopWorker(worker);
  const report = await platform.verify();
  expect(report.differences).toEqual([]);
  expect(report.months.length).toBeGreaterThan(0);
  expect(await platform.stagingTables()).toBe(0);
  const kept = await platform.value<number>("SELECT sum(txn_rows)::bigint FROM etl.run_month");
  expect(await requestedRows(platform.pool)).toBe(kept);
});

test("what another run put into the same months stays, and can be loaded again", async () => {
  const first = await platform.load();
  const before = await platform.digests();
  const worker = await platform.startWorker();
  const second = await platform.kickoff({ ...LONG, seed: 11 });
  await eventually("some chunks", async () => (await cleaned()) > 15, { everyMs: 5 });
  await cancelRun(platform.pool, second.runId);
  expect((await platform.verify()).differences).toEqual([]);
  expect((await platform.digests()).length).toBe(before.length);
  const third = await platform.kickoff();
  await platform.done(third.runId);
  await platform.stopWorker(worker);
  expect((await platform.verify()).differences).toEqual([]);
  expect((await platform.verify(first.runId)).differences).toEqual([]);
});

test("a run that never began is cancelled too; a finished one is not; twice is once", async () => {
  const run = await platform.kickoff();
  expect(await cancelRun(platform.pool, run.runId)).toEqual({ months: [], rows: 0 });
  expect(await cancelRun(platform.pool, run.runId)).toEqual({ months: [], rows: 0 });
  const worker = await platform.startWorker();
  const next = await platform.kickoff({ rows: 1_000 });
  await platform.done(next.runId);
  await platform.stopWorker(worker);
  expect(await platform.value("SELECT state FROM etl.run WHERE run_id = $1", [run.runId])).toBe("cancelled");
  await expect(cancelRun(platform.pool, next.runId)).rejects.toMatchObject({ code: "RUN_OVER" });
  await expect(cancelRun(platform.pool, "r99")).rejects.toMatchObject({ code: "RUN_UNKNOWN" });
});
