import { afterEach, beforeEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { killServer, rabbitmqctl, startServers } from "./harness/servers.js";

/** Enough of them that a run is still under way when a server has been killed. */
const TWENTY_CHUNKS = { rows: 100_000, chunkRows: 5_000 };

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(async ({ task }) => {
  // Else they are up: to see so takes seconds.
  if (task.result?.state === "fail") {
    await startServers();
  }
  await platform.close();
});

const cleaned = () => platform.value<number>("SELECT count(*) FROM etl.chunk WHERE state = 'cleaned'");

/** Since a server died: if none, the run was over by then, and its test has seen nothing. */
const cleanedSince = (died: Date) =>
  platform.value<number>("SELECT count(*) FROM etl.chunk WHERE cleaned_at > $1", [died]);

async function expectWhole(): Promise<void> {
  expect((await platform.verify()).differences).toEqual([]);
  expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
  for (const { queue } of ETL_QUEUES.ladder) {
    expect(await depth(platform.settings, queue)).toBe(0);
  }
  expect(await platform.stagingTables()).toBe(0);
}

test("PostgreSQL crashes in mid-run: the worker waits and goes on, nothing is dead-lettered, no attempt is burnt", async () => {
  const worker = await platform.startWorker(3);
  const run = await platform.kickoff(TWENTY_CHUNKS);
  await eventually("under way", async () => (await cleaned()) > 2, { everyMs: 5 });
  await killServer("postgres", "SIGQUIT");
  const died = new Date();
  await startServers();
  await platform.done(run.runId);
  await platform.stopWorker(worker);
  expect(await cleanedSince(died)).toBeGreaterThan(0);
  await expectWhole();
});

test("PostgreSQL crashes between stage and clean: what was staged is still there, nothing is staged again", async () => {
  const run = await platform.begin({ rows: 4_000, toOn: "2025-02-01", chunkRows: 2_000 }, { cleaned: 0 });
  const staged = () =>
    platform.value<string>("SELECT json_agg(staged_at ORDER BY chunk_no)::text FROM etl.chunk");
  const rows = () =>
    platform.value<number>(
      `SELECT (SELECT count(*) FROM staging.txn_r1_2025_01_leaf) + (SELECT count(*) FROM staging.txn_r1_2025_01_suspect)`,
    );
  const before = await staged();
  await killServer("postgres", "SIGQUIT");
  await startServers();
  expect(await eventually("back", () => rows().catch(() => undefined))).toBe(4_000);
  const worker = await platform.startWorker();
  await platform.finish(run.runId);
  await platform.stopWorker(worker);
  expect(await staged()).toBe(before);
  await expectWhole();
});

test("PostgreSQL stays away for longer than any retry ladder's first rungs: work goes on within 30 s of its return", async () => {
  const worker = await platform.startWorker(3);
  const run = await platform.kickoff(TWENTY_CHUNKS);
  await eventually("under way", async () => (await cleaned()) > 2, { everyMs: 5 });
  await killServer("postgres", "SIGINT");
  const died = new Date();
  // Long enough for a dozen probes: what is waited for is that nothing happens.
  const until = died.getTime() + 20_000;
  await eventually("20 s of outage", () => Date.now() > until, { withinMs: 30_000 });
  for (const queue of [ETL_QUEUES.deadLetter, ...ETL_QUEUES.ladder.map((rung) => rung.queue)]) {
    expect(await depth(platform.settings, queue)).toBe(0);
  }
  await startServers();
  const back = Date.now();
  await eventually("going on", async () => (await cleanedSince(died).catch(() => 0)) > 0, {
    withinMs: 30_000,
  });
  expect(Date.now() - back).toBeLessThan(30_000);
  await platform.done(run.runId);
  await platform.stopWorker(worker);
  await expectWhole();
});

test("RabbitMQ is killed in mid-run and comes back: the same worker goes on", async () => {
  const worker = await platform.startWorker(3);
  const run = await platform.kickoff(TWENTY_CHUNKS);
  await eventually("under way", async () => (await cleaned()) > 2, { everyMs: 5 });
  await killServer("rabbitmq", "SIGKILL");
  const died = new Date();
  await startServers();
  await platform.done(run.runId);
  await platform.stopWorker(worker);
  expect(await cleanedSince(died)).toBeGreaterThan(0);
  await expectWhole();
});

test("an alarm of the broker blocks publishers: they time out, and go on when it is over", async () => {
  const limit =
    (await rabbitmqctl("environment")).match(/vm_memory_high_watermark,\{absolute,"?([^"}]+)/)?.[1] ??
    "512MiB";
  const worker = await platform.startWorker(2);
  // One chunk after the other, so that the run outlasts the seconds that rabbitmqctl takes.
  const run = await platform.kickoff({ rows: 200_000, chunkRows: 500 }, 1);
  await eventually("under way", async () => (await cleaned()) > 1, { everyMs: 5 });
  await rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
  try {
    // Two steps finish and wait for their confirms; nothing else can begin.
    let last = -1;
    await eventually(
      "standstill",
      async () => {
        const now = await cleaned();
        const still = now === last;
        last = now;
        return still;
      },
      { everyMs: 3_000, withinMs: 60_000 },
    );
    expect(await platform.value("SELECT state FROM etl.run")).toBe("running");
    await expect(platform.send({ kind: "plan", run: run.runId })).rejects.toMatchObject({
      code: "PUBLISH_TIMEOUT",
    });
  } finally {
    await rabbitmqctl("set_vm_memory_high_watermark", "absolute", limit);
  }
  await platform.done(run.runId);
  await platform.stopWorker(worker);
  await expectWhole();
});
