import { afterEach, beforeEach, expect, test } from "vitest";
import type { Point } from "../etl/point.js";
import { type Rebuilt, rebuildMonth } from "../etl/runs/rebuild.js";
import { aggStep } from "../etl/steps/agg.js";
import { createPool } from "../lib/postgres/pool.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

function heal(month: string): Promise<Rebuilt> {
  return rebuildMonth(platform.context, month);
}

/** As the owner, who alone may do damage. */
function damage(...statements: string[]): Promise<void> {
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    for (const statement of statements) {
      await pool.query(statement);
    }
  });
}

/** Files of the leaves: another file means that the table was written anew. */
const files = () =>
  platform.value<Record<string, number>>(
    `SELECT json_object_agg(c.relname, c.relfilenode) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'payments.txn'::regclass`,
  );

test("a damaged month comes back row by row, with rejects and roll-ups; other months keep their files", async () => {
  await platform.load();
  await platform.load({ seed: 21, rows: 9_000 });
  const digests = await platform.digests();
  const before = await files();
  await damage(
    "DELETE FROM txn_2025_02 WHERE txn_id % 7 = 0",
    "UPDATE txn_2025_02 SET amount = amount * 2 WHERE txn_id % 5 = 0",
    "DELETE FROM txn_reject WHERE occurred_at BETWEEN '2025-02-01' AND '2025-03-01'",
    "DELETE FROM agg_network_hour WHERE month = '2025-02-01'",
  );
  expect((await platform.verify()).differences.length).toBeGreaterThan(0);
  const healed = await heal("2025-02-01");
  expect(healed.runs).toEqual(["r1", "r2"]);
  expect((await platform.verify()).differences).toEqual([]);
  expect(await platform.digests()).toEqual(digests);
  const after = await files();
  expect({ ...after, txn_2025_02: 0 }).toEqual({ ...before, txn_2025_02: 0 });
  expect(after["txn_2025_02"]).not.toBe(before["txn_2025_02"]);
});

test("a run of generator version 2, which knew no difficulty, verifies and heals as an easy one", async () => {
  await platform.load({ rows: 9_000, fraudDifficulty: "easy" });
  await platform.pool.query("UPDATE etl.run SET generator_version = 2");
  const digests = await platform.digests();
  await damage("UPDATE txn_2025_02 SET is_fraud = NOT is_fraud WHERE txn_id % 5 = 0");
  expect((await platform.verify()).ok).toBe(false);
  await heal("2025-02-01");
  expect((await platform.verify()).differences).toEqual([]);
  expect(await platform.digests()).toEqual(digests);
});

test("a month whose leaf was dropped altogether comes back", async () => {
  await platform.load();
  const digests = await platform.digests();
  await damage("DROP TABLE txn_2025_03");
  await heal("2025-03-01");
  expect((await platform.verify()).differences).toEqual([]);
  expect(await platform.digests()).toEqual(digests);
});

test("readers go on while it is made, and one that stays long is not waited for by others", async () => {
  await platform.load();
  const reader = createPool(platform.settings, { max: 2 });
  try {
    const long = await reader.connect();
    await long.query("BEGIN");
    await long.query("SELECT count(*) FROM txn");
    const healing = heal("2025-02-01");
    let slowestMs = 0;
    // The long reader blocks the exchange; short ones are held up no longer than one try of it.
    for (let i = 0; i < 20; i++) {
      const started = performance.now();
      await reader.query("SELECT count(*) FROM txn WHERE occurred_at < '2025-02-01'");
      slowestMs = Math.max(slowestMs, performance.now() - started);
    }
    expect(slowestMs).toBeLessThan(4_000);
    await eventually("waiting for the exchange", () =>
      platform.value<boolean>(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%swap_healed%'",
      ),
    );
    await long.query("COMMIT");
    long.release();
    await healing;
  } finally {
    await reader.end();
  }
  expect((await platform.verify()).differences).toEqual([]);
});

test("what another run is building in the month is left alone, and added to the healed one", async () => {
  await platform.load({ rows: 9_000 });
  const other = await platform.begin({ rows: 6_000, seed: 8, chunkRows: 500 }, { staged: 3, cleaned: 2 });
  await damage("DELETE FROM txn_2025_01 WHERE txn_id % 3 = 0");
  expect(await heal("2025-01-01")).toMatchObject({ runs: ["r1"] });
  expect((await platform.verify()).differences).toEqual([]);
  const worker = await platform.startWorker();
  await platform.finish(other.runId);
  await platform.stopWorker(worker);
  expect((await platform.verify()).differences).toEqual([]);
});

test("a run that wants to add to the month meanwhile waits, and adds to the healed leaf", async () => {
  await platform.load({ rows: 3_000 });
  const { runId } = await platform.begin({ rows: 3_000, seed: 8 });
  await damage("DELETE FROM txn_2025_01 WHERE txn_id % 3 = 0");
  let adding: Promise<unknown> | undefined;
  const reached = async (point: Point) => {
    if (point !== "stage: after copy" || adding !== undefined) {
      return;
    }
    adding = aggStep(platform.context, runId, "2025-01-01");
    await eventually("agg waiting", () =>
      platform.value<boolean>(
        `SELECT count(*) > 0 FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO etl.month%'`,
      ),
    );
  };
  expect(await rebuildMonth({ ...platform.context, reached }, "2025-01-01")).toMatchObject({ runs: ["r1"] });
  await adding;
  expect((await platform.verify()).differences).toEqual([]);
  const months =
    "SELECT array_agg(run_id ORDER BY run_id) FROM etl.run_month WHERE month = '2025-01-01' AND state = 'done'";
  expect(await platform.value(months)).toEqual(["r1", runId]);
});

test("a month that is not there is refused, one that is only being built too", async () => {
  await platform.begin({ rows: 3_000 });
  for (const month of ["2031-01-01", "2025-01-01"]) {
    await expect(heal(month)).rejects.toMatchObject({ code: "MONTH_UNKNOWN" });
  }
  expect((await platform.verify()).differences).toEqual([]);
});
