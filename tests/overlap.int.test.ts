import { afterEach, beforeEach, expect, test } from "vitest";
import type { Point } from "../etl/point.js";
import { cancelRun } from "../etl/runs/cancel.js";
import { aggStep } from "../etl/steps/agg.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";

/** Two runs in the same two months, all chunks cleaned: what is left is who publishes and who adds. */
const SPEC = { rows: 4_000, toOn: "2025-03-01", chunkRows: 1_000 };
const JANUARY = "2025-01-01";
const FEBRUARY = "2025-02-01";

let platform: Platform;
let first: string;
let second: string;
beforeEach(async () => {
  platform = await Platform.create();
  first = (await platform.begin(SPEC)).runId;
  second = (await platform.begin({ ...SPEC, seed: 8 })).runId;
});
afterEach(() => platform.close());

/** January's agg of a run, which stops at a point until it is let go on, or made to fail. */
function pausedAt(
  point: Point,
  runId: string,
): { done: Promise<unknown>; there: Promise<unknown>; release: (error?: Error) => void } {
  let arrived = false;
  let release: (error?: Error) => void = () => undefined;
  const gate = new Promise<void>((resolve, reject) => {
    release = (error) => (error === undefined ? resolve() : reject(error));
  });
  const reached = async (here: Point) => {
    if (here !== point) {
      return;
    }
    arrived = true;
    await gate;
  };
  const done = aggStep({ ...platform.context, reached }, runId, JANUARY);
  return { done, there: eventually(`${runId} at ${point}`, () => arrived), release };
}

/** Resolves when a statement that holds these words waits for a lock. */
function waiting(words: string): Promise<unknown> {
  return eventually(`waiting: ${words}`, () =>
    platform.value<boolean>(
      `SELECT count(*) > 0 FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'`,
      [words],
    ),
  );
}

/** A month of txn holds rows of just these runs, and all is as they describe. */
async function expectRows(month: string, ...runs: string[]): Promise<void> {
  const { rows } = await platform.pool.query(
    `SELECT DISTINCT run_id FROM txn JOIN etl.chunk ON txn_id BETWEEN first_txn_id AND first_txn_id + txn_rows - 1
     WHERE month = $1 ORDER BY run_id`,
    [month],
  );
  expect(rows.map((row) => row["run_id"])).toEqual(runs);
  expect((await platform.verify()).differences).toEqual([]);
}

test("all months of both aggregated at once: each is published by one and added to by the other", async () => {
  const jobs = [first, second].flatMap((run) => [JANUARY, FEBRUARY].map((month) => [run, month] as const));
  await Promise.all(jobs.map(([run, month]) => aggStep(platform.context, run, month)));
  await expectRows(JANUARY, first, second);
  await expectRows(FEBRUARY, first, second);
  expect(await platform.stagingTables()).toBe(0);
  expect(await platform.value("SELECT count(*) FROM etl.run WHERE state = 'done'")).toBe(2);
});

test("the second waits for the one that publishes, and adds its rows", async () => {
  const publishing = pausedAt("agg: month published", first);
  await publishing.there;
  const adding = aggStep(platform.context, second, JANUARY);
  await waiting("INSERT INTO etl.month");
  publishing.release();
  await Promise.all([publishing.done, adding]);
  await expectRows(JANUARY, first, second);
});

test("when the one that publishes fails the other does it, and the first adds its rows when it comes again", async () => {
  const failing = pausedAt("agg: month published", first);
  await failing.there;
  const publishing = aggStep(platform.context, second, JANUARY);
  await waiting("INSERT INTO etl.month");
  failing.release(new Error("died"));
  await expect(failing.done).rejects.toThrow("died");
  await publishing;
  await expectRows(JANUARY, second);
  await aggStep(platform.context, first, JANUARY);
  await expectRows(JANUARY, first, second);
});

test("a cancel waits for the agg under way, which keeps its month; the other run goes on", async () => {
  const publishing = pausedAt("agg: rolled up", first);
  await publishing.there;
  const adding = aggStep(platform.context, second, JANUARY);
  await waiting("INSERT INTO etl.month");
  const cancelling = cancelRun(platform.pool, first);
  await waiting("FOR UPDATE");
  publishing.release();
  await Promise.all([publishing.done, adding]);
  expect((await cancelling).months).toEqual([FEBRUARY]);
  await expectRows(JANUARY, first, second);
  await aggStep(platform.context, first, FEBRUARY);
  await aggStep(platform.context, second, FEBRUARY);
  await expectRows(FEBRUARY, second);
  expect(await platform.stagingTables()).toBe(0);
});

test("a run cancelled while it waits to add its rows has added them; one cancelled before leaves the month alone", async () => {
  const publishing = pausedAt("agg: rolled up", first);
  await publishing.there;
  const adding = aggStep(platform.context, second, JANUARY);
  await waiting("INSERT INTO etl.month");
  const cancelling = cancelRun(platform.pool, second);
  await waiting("FOR UPDATE");
  publishing.release();
  await Promise.all([publishing.done, adding, cancelling]);
  await expectRows(JANUARY, first, second);

  const third = (await platform.begin({ ...SPEC, seed: 9 })).runId;
  await cancelRun(platform.pool, third);
  await aggStep(platform.context, third, JANUARY);
  await aggStep(platform.context, first, FEBRUARY);
  await expectRows(JANUARY, first, second);
  await expectRows(FEBRUARY, first);
  expect(await platform.stagingTables()).toBe(0);
});
