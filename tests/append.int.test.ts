import { afterEach, beforeEach, expect, test } from "vitest";
import { aggStep } from "../etl/steps/agg.js";
import { withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";

/** What comes onto a month that stands: its rows are added to the leaf, be they few or as many as stand. */
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

test("few rows and many are added to the leaf, time and again", async () => {
  const before = await leaf();
  await add(FEW);
  await expectWhole(6_000, 1_000);
  await add(MANY);
  await expectWhole(6_000, 1_000, 6_000);
  await add({ ...MANY, seed: 11, rows: 12_000 });
  await expectWhole(6_000, 1_000, 6_000, 12_000);
  expect(await leaf()).toBe(before);
});

test("who reads by a snapshot from before finds the month as it was, though he looks at it only after", async () => {
  await withPool({ role: "reader", database: platform.settings.POSTGRES_DB }, async (pool) => {
    const reader = await pool.connect();
    try {
      const count = async () => {
        const { rows } = await reader.query<{ n: number }>("SELECT count(*)::integer AS n FROM payments.txn");
        return rows[0]?.n;
      };
      const standing = await count();
      await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
      await reader.query("SELECT 1");
      await add(MANY);
      expect(await count()).toBe(standing);
      await reader.query("COMMIT");
      expect(await count()).toBeGreaterThan(standing ?? 0);
    } finally {
      reader.release();
    }
  });
  await expectWhole(6_000, 6_000);
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
