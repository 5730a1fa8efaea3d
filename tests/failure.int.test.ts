import { afterAll, beforeAll, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { runStatus } from "../etl/runs/status.js";
import { depth } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { type CommandResult, payments } from "./harness/process.js";
import type { Worker } from "./harness/worker.js";

/** One chunk in one month. */
const ONE_CHUNK = { rows: 2_000, chunkRows: 2_000, fromOn: "2025-01-01", toOn: "2025-02-01" };
const FLAGS = ["--rows", "2000", "--chunk-rows", "2000", "--from", "2025-01-01", "--to", "2025-02-01"];
const BROKEN = "ALTER TABLE payments.txn_reject ADD CONSTRAINT broken CHECK (false) NOT VALID";
const MENDED = "ALTER TABLE payments.txn_reject DROP CONSTRAINT broken";

let platform: Platform;
let worker: Worker;

beforeAll(async () => {
  platform = await Platform.create();
  worker = await platform.startWorker();
});
afterAll(() => platform.close());

const run = (...args: string[]): Promise<CommandResult> => payments(platform.settings, ...args);
const asAdmin = (sql: string) =>
  withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) =>
    pool.query(`SET ROLE payments_owner; ${sql}`),
  );
const failuresOf = async (runId: string) => (await runStatus(platform.pool, [runId]))[0]?.failures ?? [];
const failed = (runId: string) =>
  eventually(`a failure of ${runId}`, async () => (await failuresOf(runId))[0], { withinMs: 30_000 });

test("kickoff --wait ends at once when a chunk failed for good; status says why and what to do; a replay mends it", async () => {
  await asAdmin(BROKEN);
  const started = Date.now();
  const waited = await run("kickoff", ...FLAGS, "--wait");
  expect(Date.now() - started).toBeLessThan(30_000);
  const failure = await failed("r1");
  const why = "r1 does not go on: clean of chunk 0 failed: LEAF_CHANGED: ";
  const todo = `payments dlq show ${failure.messageId}. When its cause is mended: payments dlq replay ${failure.messageId}, or payments resume r1.`;
  expect(waited).toMatchObject({ code: 1 });
  expect(waited.stderr).toContain(`payments: RUN_FAILED: ${why}`);
  expect(waited.stderr).toContain(todo);

  const status = await run("status", "r1");
  expect(status).toMatchObject({ code: 0 });
  expect(status.stdout).toContain(why);
  expect(status.stdout).toContain(todo);
  expect(JSON.parse((await run("status", "--json")).stdout)).toMatchObject({
    runs: [{ state: "running", failures: [{ step: "clean", chunk: 0, code: "LEAF_CHANGED", attempts: 1 }] }],
  });
  expect((await run("status", "--watch")).stderr).toContain("RUN_FAILED");

  await asAdmin(MENDED);
  expect(await run("dlq", "replay", String(failure.messageId))).toMatchObject({ code: 0 });
  // From the replay on, not only when the step has succeeded: whoever watches now waits for it.
  expect(await run("status", "r1", "--watch")).toMatchObject({ code: 0 });
  expect(await failuresOf("r1")).toEqual([]);
});

test("a resume supersedes what failed before it", async () => {
  await asAdmin(BROKEN);
  const { runId } = await platform.kickoff(ONE_CHUNK);
  await failed(runId);
  await asAdmin(MENDED);
  // Also before a worker takes up what was sent.
  await platform.stopWorker(worker);
  expect(await run("resume", runId)).toMatchObject({ code: 0 });
  expect(await failuresOf(runId)).toEqual([]);
  worker = await platform.startWorker();
  expect(await run("status", runId, "--watch")).toMatchObject({ code: 0 });
});

test("a month that failed is named; a cancelled run has no failures", async () => {
  await asAdmin("CREATE TABLE payments.txn_2025_06 ()");
  const { runId } = await platform.kickoff({ ...ONE_CHUNK, fromOn: "2025-06-01", toOn: "2025-07-01" });
  expect(await failed(runId)).toMatchObject({ step: "agg", month: "2025-06-01", code: "LEAF_CHANGED" });
  expect(await run("cancel", runId)).toMatchObject({ code: 0 });
  expect(await failuresOf(runId)).toEqual([]);
  await asAdmin("DROP TABLE payments.txn_2025_06");
});

test("a dead letter that the run does not wait for is no failure of it", async () => {
  const { runId } = await platform.begin(ONE_CHUNK, { staged: 0 });
  const before = await depth(platform.settings, ETL_QUEUES.deadLetter);
  await platform.send({ kind: "clean", run: runId, chunk: 999 });
  await platform.send({ kind: "plan", run: "r999" });
  await eventually(
    "both among the dead letters",
    async () => (await depth(platform.settings, ETL_QUEUES.deadLetter)) === before + 2,
  );
  await eventually(
    "the one of a known run recorded",
    async () => (await platform.value<number>("SELECT count(*) FROM etl.failure WHERE chunk_no = 999")) === 1,
  );
  expect(await failuresOf(runId)).toEqual([]);
});

test("a run that only stands still points to worker and dead letters", async () => {
  const { runId } = await platform.begin(ONE_CHUNK, { staged: 0 });
  await platform.value(
    `UPDATE etl.run SET created_at = now() - interval '20 minutes', started_at = now() - interval '19 minutes'
     WHERE run_id = $1 RETURNING 1`,
    [runId],
  );
  const { stdout } = await run("status", runId);
  expect(stdout).toContain(`${runId}: nothing has moved for 19m0`);
  expect(stdout).toContain("payments dlq list");
});
