import { afterEach, beforeEach, expect, test } from "vitest";
import { aggStep } from "../etl/steps/agg.js";
import { withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";

/** What comes onto a month that stands: a few rows are added to its leaf, many take the leaf's in and its place. */
const SPEC = { rows: 6_000, toOn: "2025-02-01", chunkRows: 3_000 };
const MANY = { ...SPEC, seed: 8 };
const FEW = { ...SPEC, seed: 9, rows: 1_000, chunkRows: 1_000 };
const JANUARY = "2025-01-01";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
  await add(SPEC);
});
afterEach(() => platform.close());

async function add(spec: object): Promise<void> {
  const { runId } = await platform.begin(spec);
  await aggStep(platform.context, runId, JANUARY);
}

/** Another one means another table. */
const leaf = () => platform.value<number>("SELECT 'payments.txn_2025_01'::regclass::oid::bigint");

async function expectWhole(...sizes: number[]): Promise<void> {
  const report = await platform.verify();
  expect(report.differences).toEqual([]);
  const rejected = await platform.value<number>("SELECT count(*) FROM txn_reject");
  expect(report.rows + rejected).toBe(sizes.reduce((sum, size) => sum + size, 0));
  expect(await platform.stagingTables()).toBe(0);
}

function byHand(...statements: string[]): Promise<void> {
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    for (const statement of statements) {
      await pool.query(statement);
    }
  });
}

test("few rows are added to the leaf, many take its place", async () => {
  const before = await leaf();
  await add(FEW);
  expect(await leaf()).toBe(before);
  await expectWhole(6_000, 1_000);
  await add(MANY);
  expect(await leaf()).not.toBe(before);
  await expectWhole(6_000, 1_000, 6_000);
  // What was exchanged can be added to, and exchanged again.
  await add({ ...FEW, seed: 10 });
  await add({ ...MANY, seed: 11, rows: 12_000 });
  await expectWhole(6_000, 1_000, 6_000, 1_000, 12_000);
});

test("who reads the month for long keeps it in its place: many rows are added to it as well", async () => {
  const before = await leaf();
  await withPool({ role: "reader", database: platform.settings.POSTGRES_DB }, async (pool) => {
    const reader = await pool.connect();
    try {
      await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
      const count = async () => (await reader.query("SELECT count(*)::integer AS n FROM payments.txn")).rows;
      const seen = await count();
      await add(MANY);
      expect(await count()).toEqual(seen);
      await reader.query("COMMIT");
      expect(await count()).not.toEqual(seen);
    } finally {
      reader.release();
    }
  });
  expect(await leaf()).toBe(before);
  await expectWhole(6_000, 6_000);
});

test("what holds another month's leaf, as another exchange does, is not waited for", async () => {
  const { runId } = await platform.begin({ ...SPEC, seed: 12, fromOn: "2025-02-01", toOn: "2025-03-01" });
  await aggStep(platform.context, runId, "2025-02-01");
  const before = await leaf();
  await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    const other = await pool.connect();
    try {
      await other.query("BEGIN; SET LOCAL ROLE payments_owner");
      await other.query("LOCK TABLE payments.txn_2025_02 IN SHARE ROW EXCLUSIVE MODE");
      await add(MANY);
      await other.query("COMMIT");
    } finally {
      other.release();
    }
  });
  expect(await leaf()).not.toBe(before);
  await expectWhole(6_000, 6_000, 6_000);
});

test.each([
  ["a view of it", "CREATE VIEW payments.january AS SELECT amount FROM payments.txn_2025_01"],
  ["a right of somebody's", "GRANT SELECT ON payments.txn_2025_01 TO payments_exporter"],
  ["a constraint of its own", "ALTER TABLE payments.txn_2025_01 ADD CHECK (amount < 1e9)"],
  ["statistics of its own", "CREATE STATISTICS mine ON currency, network FROM payments.txn_2025_01"],
  ["a comment", "COMMENT ON TABLE payments.txn_2025_01 IS 'mine'"],
  ["an index of its own", "CREATE INDEX mine ON payments.txn_2025_01 (amount)"],
  [
    "values in a column of somebody's",
    "ALTER TABLE payments.txn ADD note text",
    "UPDATE payments.txn SET note = 'mine' WHERE txn_id % 100 = 0",
  ],
  [
    "a column that is filled anew each time",
    "ALTER TABLE payments.txn ADD seen timestamptz DEFAULT clock_timestamp()",
  ],
  ["a setting of its own", "ALTER TABLE payments.txn_2025_01 SET (autovacuum_enabled = false)"],
])("a leaf that has %s stays: many rows are added to it", async (_, ...statements) => {
  await byHand(...statements);
  const before = await leaf();
  await add(MANY);
  expect(await leaf()).toBe(before);
  expect(await platform.value("SELECT count(*) FROM etl.run WHERE state = 'done'")).toBe(2);
  const differences = (await platform.verify()).differences.filter(({ what }) => !/was added/.test(what));
  expect(differences).toEqual([]);
});

test("what was built before somebody changed txn is added to a leaf that has the change", async () => {
  const { runId } = await platform.begin(MANY);
  await byHand(
    "ALTER TABLE payments.txn ADD note text",
    "CREATE INDEX txn_note_idx ON payments.txn (note)",
    "ALTER TABLE payments.txn ADD CONSTRAINT txn_note CHECK (length(note) < 9)",
  );
  const before = await leaf();
  await aggStep(platform.context, runId, JANUARY);
  expect(await leaf()).toBe(before);
  expect((await platform.verify()).differences.filter(({ check }) => check !== "structure")).toEqual([]);
});
