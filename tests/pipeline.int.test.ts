import { afterEach, beforeEach, expect, test } from "vitest";
import { planRun } from "../etl/plan.js";
import { ETL_QUEUES } from "../etl/queues.js";
import { cancelRun } from "../etl/runs/cancel.js";
import { FRAUD_DIFFICULTIES } from "../etl/spec.js";
import { depth, drain } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

test("a run ends with every row accounted for, months attached and indexed, nothing left over", async () => {
  const run = await platform.load();
  const report = await platform.verify();
  expect(report.differences).toEqual([]);
  expect(report.months.map((month) => month.month)).toEqual(["2025-01-01", "2025-02-01", "2025-03-01"]);
  const accepted = await platform.value<number>("SELECT count(*) FROM txn");
  const rejected = await platform.value<number>("SELECT count(*) FROM txn_reject");
  expect(accepted + rejected).toBe(SMALL_SPEC.rows);
  // 5 % dirt, half of it fatal: the injected classes were really there to be found.
  expect(rejected).toBeGreaterThan(SMALL_SPEC.rows * 0.015);
  const reasons = await platform.value<number>("SELECT count(DISTINCT reason) FROM txn_reject");
  expect(reasons).toBe(9);
  expect(
    await platform.value("SELECT count(*) FROM pg_index WHERE indrelid = 'payments.txn_2025_02'::regclass"),
  ).toBe(4);
  expect(await platform.value("SELECT count(*) FROM etl.month")).toBe(3);
  expect(await platform.stagingTables()).toBe(0);
  expect(await depth(platform.settings, ETL_QUEUES.work)).toBe(0);
  expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
  expect(run.spec.firstTxnId).toBe(1);
});

test.each(FRAUD_DIFFICULTIES)(
  "the same seed gives the same digests whatever the concurrency, another seed gives others: %s",
  async (fraudDifficulty) => {
    await platform.load({ fraudDifficulty }, 1);
    const first = await platform.digests();
    for (const [spec, concurrency, same] of [
      [{ fraudDifficulty }, 3, true],
      [{ fraudDifficulty, seed: 8 }, 3, false],
    ] as const) {
      const other = await Platform.create();
      try {
        await other.load(spec, concurrency);
        expect((await other.digests()).join() === first.join()).toBe(same);
      } finally {
        await other.close();
      }
    }
  },
);

test("staged chunks and queue stay within the window at any size", async () => {
  const worker = await platform.startWorker(3);
  const run = await platform.kickoff({ chunkRows: 500 }, 3);
  const staged = () => platform.value<number>("SELECT count(*) FROM etl.chunk WHERE state = 'staged'");
  let mostStaged = 0;
  let mostQueued = 0;
  await eventually(
    "run done",
    async () => {
      mostStaged = Math.max(mostStaged, await staged());
      mostQueued = Math.max(mostQueued, await depth(platform.settings, ETL_QUEUES.work));
      return (await platform.value("SELECT state FROM etl.run WHERE run_id = $1", [run.runId])) === "done";
    },
    { withinMs: 90_000, everyMs: 5 },
  );
  expect(mostStaged).toBeGreaterThan(0);
  expect(mostStaged).toBeLessThanOrEqual(3);
  // Each of the three months has a message of its own when it is complete.
  expect(mostQueued).toBeLessThanOrEqual(3 + 3);
  expect((await platform.verify()).differences).toEqual([]);
  await platform.stopWorker(worker);
});

test("two runs on the same months at the same time both complete, and a third is added to what is there", async () => {
  const worker = await platform.startWorker(4);
  const runs = await Promise.all([platform.kickoff(), platform.kickoff({ fromOn: "2025-02-10", seed: 9 })]);
  for (const run of runs) {
    await platform.done(run.runId);
  }
  const third = await platform.kickoff({ rows: 5_000 });
  await platform.done(third.runId);
  const report = await platform.verify();
  expect(report.differences).toEqual([]);
  expect(report.runs).toEqual(["r1", "r2", "r3"]);
  const { accepted, rejected } = {
    accepted: await platform.value<number>("SELECT count(*) FROM txn"),
    rejected: await platform.value<number>("SELECT count(*) FROM txn_reject"),
  };
  expect(accepted + rejected).toBe(2 * SMALL_SPEC.rows + 5_000);
  await platform.stopWorker(worker);
});

test("a run onto months that stand writes its own groups of the roll-ups and no others", async () => {
  await platform.load();
  const before = await platform.value<number>("SELECT txid_current()");
  const rows = 50;
  await platform.load({ rows, seed: 8, dirtRate: 0 });
  for (const table of ["agg_merchant_day", "agg_network_hour"]) {
    const written = await platform.value<number>(
      `SELECT count(*) FROM ${table} WHERE xmin::text::bigint >= $1`,
      [before],
    );
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(rows);
  }
  expect((await platform.verify()).differences).toEqual([]);
});

test("all messages of a run sent many times over change nothing", async () => {
  const worker = await platform.startWorker(4);
  const run = await platform.kickoff();
  const { chunks } = planRun(run.spec);
  const storm = async () => {
    for (let chunk = 0; chunk < chunks; chunk++) {
      await platform.send({ kind: "stage", run: run.runId, chunk });
      await platform.send({ kind: "clean", run: run.runId, chunk });
    }
    await platform.send({ kind: "plan", run: run.runId });
    for (const month of ["2025-01-01", "2025-02-01", "2025-03-01"]) {
      await platform.send({ kind: "agg", run: run.runId, month });
    }
  };
  for (let i = 0; i < 5; i++) {
    await storm();
  }
  await platform.done(run.runId);
  await storm();
  await eventually("queue empty", async () => (await depth(platform.settings, ETL_QUEUES.work)) === 0, {
    withinMs: 60_000,
  });
  await platform.stopWorker(worker);
  expect((await platform.verify()).differences).toEqual([]);
  expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
  expect(await platform.value("SELECT months_done = months_total FROM etl.run")).toBe(true);
});

test.each([
  ["lost", "DELETE FROM staging.$_leaf WHERE txn_id % 100 = 1"],
  [
    "got",
    `INSERT INTO staging.$_leaf SELECT added.* FROM staging.$_leaf l,
       jsonb_populate_record(l, jsonb_build_object('txn_id', l.txn_id + 1000000)) added WHERE l.txn_id % 100 = 1`,
  ],
])(
  "a build that %s rows is not published: its agg is dead-lettered, and a cancel cleans up",
  async (_, sql) => {
    const spec = { rows: 4_000, toOn: "2025-02-01", chunkRows: 2_000 };
    const refused = async () => {
      const { runId } = await platform.begin(spec);
      await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) =>
        pool.query(sql.replaceAll("$", `txn_${runId}_2025_01`)),
      );
      const before = await seen();
      await platform.send({ kind: "agg", run: runId, month: "2025-01-01" });
      await eventually("a letter", async () => (await depth(platform.settings, ETL_QUEUES.deadLetter)) === 1);
      const [letter] = await drain(platform.settings, ETL_QUEUES.deadLetter);
      expect(letter?.properties.headers).toMatchObject({ "x-error-code": "CHUNK_COUNT_MISMATCH" });
      expect(await seen()).toEqual(before);
      await cancelRun(platform.pool, runId);
      expect(await platform.stagingTables()).toBe(0);
      expect((await platform.verify()).differences).toEqual([]);
    };
    /** What readers see. */
    const seen = () =>
      platform.value<object>(
        `SELECT json_build_object('txn', (SELECT count(*) FROM txn), 'months', (SELECT count(*) FROM etl.month),
                                'aggregated', (SELECT sum(txn_count) FROM agg_merchant_day))`,
      );
    await platform.startWorker();
    // Of a month that nobody has published yet, and of one that stands.
    await refused();
    const run = await platform.kickoff(spec);
    await platform.done(run.runId);
    await refused();
  },
);

test("a run of no rows is done at once; a run smaller than its months leaves the others out", async () => {
  const worker = await platform.startWorker();
  const empty = await platform.kickoff({ rows: 0 });
  await platform.done(empty.runId);
  const tiny = await platform.kickoff({ rows: 1, dirtRate: 0 });
  await platform.done(tiny.runId);
  expect(await platform.value("SELECT count(*) FROM txn")).toBe(1);
  expect((await platform.verify()).differences).toEqual([]);
  await platform.stopWorker(worker);
});

test("every row dirty, every row fraud: still just what the answer key says", async () => {
  await platform.load({ rows: 9_000, dirtRate: 1, fraudRate: 1 });
  expect((await platform.verify()).differences).toEqual([]);
});
