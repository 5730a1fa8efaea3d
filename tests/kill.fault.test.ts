import { afterEach, beforeEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { WorkerProcess } from "./harness/process.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

/** Chunks and months finished so far: kills are timed by progress, not by the clock. */
function progress(): Promise<number> {
  return platform.value<number>(
    `SELECT (SELECT count(*) FROM etl.chunk) + (SELECT count(*) FROM etl.chunk WHERE state = 'cleaned')
          + (SELECT count(*) FROM etl.run_month WHERE state = 'done')`,
  );
}

test("a worker killed over and over in mid-run leaves just the rows of a run that was never disturbed", async () => {
  const calm = await Platform.create();
  let expected: string[];
  try {
    await calm.load();
    expected = await calm.digests();
  } finally {
    await calm.close();
  }

  const run = await platform.kickoff();
  let kills = 0;
  for (let target = 1; ; target += 3) {
    const worker = await WorkerProcess.start(platform.settings);
    const done = await eventually(
      "progress",
      async () => {
        const state = await platform.value("SELECT state FROM etl.run WHERE run_id = $1", [run.runId]);
        if (state === "done") {
          return "done";
        }
        return (await progress()) >= target ? "kill" : undefined;
      },
      { withinMs: 60_000, everyMs: 2 },
    );
    await worker.stop(done === "done" ? "SIGTERM" : "SIGKILL");
    if (done === "done") {
      break;
    }
    kills++;
  }
  expect(kills).toBeGreaterThan(3);
  expect((await platform.verify()).differences).toEqual([]);
  expect(await platform.digests()).toEqual(expected);
  expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
  expect(await platform.stagingTables()).toBe(0);
});

test("SIGTERM lets the steps under way finish and exits 0; the next worker goes on", async () => {
  const run = await platform.kickoff();
  const first = await WorkerProcess.start(platform.settings);
  await eventually("a chunk staged", async () => (await progress()) > 0, { everyMs: 2 });
  expect(await first.stop("SIGTERM")).toBe(0);
  // Nothing of it is left behind in the database.
  const backends =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'payments-worker%'";
  await eventually("no backend", async () => (await platform.value(backends)) === 0);
  const second = await WorkerProcess.start(platform.settings);
  await platform.done(run.runId);
  await second.stop();
  expect((await platform.verify()).differences).toEqual([]);
});
