import { afterEach, beforeEach, expect, test } from "vitest";
import { adoptRun, createRun } from "../etl/ledger/new_run.js";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth, drain, publishByHand } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create({
    STAGE_TARGET_TXN: "2000",
    STAGE_CHUNK_SIZE: "500",
    STAGE_TO: "2025-03-01",
  });
  await platform.startWorker();
});
afterEach(() => platform.close());

test("the bare word stage, typed into the management UI, starts a default run", async () => {
  expect(await publishByHand(platform.settings, ETL_QUEUES.work, "stage")).toBe(true);
  await eventually("a run", async () => (await platform.value<number>("SELECT count(*) FROM etl.run")) === 1);
  await platform.done("r1");
  const report = await platform.verify("r1");
  expect(report.differences).toEqual([]);
  expect(await platform.value("SELECT txn_rows FROM etl.run")).toBe(2_000);
});

test("a bare stage that comes again finds its run: one not planned yet at any age, another for 15 minutes", async () => {
  const run = await createRun(platform.pool, SMALL_SPEC, 4, { begunByMessage: true });
  const admin = { role: "admin", database: platform.settings.POSTGRES_DB } as const;
  const set = (what: string) => withPool(admin, (pool) => pool.query(`UPDATE etl.run SET ${what}`));
  await set("created_at = now() - interval '1 day'");
  expect(await adoptRun(platform.pool)).toMatchObject({ runId: run.runId });
  await set("state = 'running'");
  expect(await adoptRun(platform.pool)).toBeUndefined();
  await set("created_at = now() - interval '10 minutes'");
  expect(await adoptRun(platform.pool)).toMatchObject({ runId: run.runId });
});

test.each([
  ["nonsense", "nonsense", "MESSAGE_MALFORMED"],
  ["an injection", `{"v":1,"step":"clean","run":"x' or 1=1"}`, "MESSAGE_MALFORMED"],
  ["one megabyte", Buffer.alloc(1_000_000, "x"), "MESSAGE_TOO_LARGE"],
  ["bytes that are no text", Buffer.from([0xff, 0x00, 0xfe]), "MESSAGE_MALFORMED"],
  ["an unknown field", `{"v":1,"step":"stage","run":"r1","force":true}`, "MESSAGE_MALFORMED"],
  ["a run that is not there", `{"v":1,"step":"stage","run":"r999"}`, "RUN_UNKNOWN"],
  ["a month of such a run", `{"v":1,"step":"agg","run":"r999","month":"2025-01-01"}`, "RUN_UNKNOWN"],
])(
  "%s ends in the dead-letter queue, whole and with a reason, and the worker goes on",
  async (_, body, code) => {
    expect(await publishByHand(platform.settings, ETL_QUEUES.work, body)).toBe(true);
    await eventually(
      "a dead letter",
      async () => (await depth(platform.settings, ETL_QUEUES.deadLetter)) === 1,
    );
    const [letter] = await drain(platform.settings, ETL_QUEUES.deadLetter);
    expect(letter?.content.equals(Buffer.from(body))).toBe(true);
    expect(letter?.properties.headers).toMatchObject({ "x-error-code": code, "x-attempts": 1 });
    expect(String(letter?.properties.headers?.["x-reason"])).not.toBe("");

    const run = await platform.kickoff({ rows: 1_000 });
    await platform.done(run.runId);
  },
);

test("a chunk that the run does not have is refused, not staged", async () => {
  const run = await platform.kickoff({ rows: 1_000 });
  await platform.done(run.runId);
  await platform.send({ kind: "stage", run: run.runId, chunk: 999_999 });
  await eventually(
    "a dead letter",
    async () => (await depth(platform.settings, ETL_QUEUES.deadLetter)) === 1,
  );
  const [letter] = await drain(platform.settings, ETL_QUEUES.deadLetter);
  expect(letter?.properties.headers).toMatchObject({ "x-error-code": "CHUNK_UNKNOWN" });
});
