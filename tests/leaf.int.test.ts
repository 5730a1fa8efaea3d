import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rebuildMonth } from "../etl/runs/rebuild.js";
import { aggStep } from "../etl/steps/agg.js";
import { withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";
import { sampled } from "./harness/sampled.js";

const ONE_MONTH = { fromOn: "2025-01-01", toOn: "2025-02-01", rows: 3_000, chunkRows: 1_500 };
const JANUARY = "2025-01-01";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

/** What a DBA does by hand. */
function byHand(...statements: string[]): Promise<void> {
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    for (const statement of statements) {
      await pool.query(statement);
    }
  });
}

/** A run from begin to end, step by step. */
async function load(spec: object): Promise<void> {
  const run = await platform.begin({ ...ONE_MONTH, ...spec });
  await aggStep(platform.context, run.runId, JANUARY);
}

const differences = async () => (await platform.verify()).differences.map(({ what }) => what);
const state = (run: string) => platform.value("SELECT state FROM etl.run WHERE run_id = $1", [run]);

describe("rows are not added to a month", () => {
  test.each([
    [
      "detached",
      "ALTER TABLE txn DETACH PARTITION txn_2025_01",
      "payments.txn_2025_01 is not attached to txn, though 2025-01 is published.",
      "ALTER TABLE txn ATTACH PARTITION txn_2025_01 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2025-02-01 00:00:00+00')",
    ],
    [
      "dropped",
      "DROP TABLE txn_2025_01",
      "payments.txn_2025_01 is not attached to txn, though 2025-01 is published.",
      undefined,
    ],
    [
      "renamed",
      "ALTER TABLE txn_2025_01 RENAME TO january",
      "2025-01 is attached to txn as payments.january, not as payments.txn_2025_01.",
      "ALTER TABLE january RENAME TO txn_2025_01",
    ],
  ] as const)("that was %s by hand; put right, the run goes on", async (_, damage, message, repair) => {
    await load({});
    await byHand(damage);
    const run = await platform.begin({ ...ONE_MONTH, seed: 8 });
    await expect(aggStep(platform.context, run.runId, JANUARY)).rejects.toMatchObject({
      code: "LEAF_CHANGED",
      message,
    });
    expect(await state(run.runId)).toBe("running");
    if (repair === undefined) {
      await rebuildMonth(platform.context, JANUARY);
    } else {
      await byHand(repair);
    }
    await aggStep(platform.context, run.runId, JANUARY);
    expect(await state(run.runId)).toBe("done");
    expect(await differences()).toEqual([]);
  });

  test("whose place something else has", async () => {
    await byHand(
      "CREATE TABLE early PARTITION OF txn FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2025-02-01 00:00:00+00')",
    );
    const run = await platform.begin(ONE_MONTH);
    const publish = () => aggStep(platform.context, run.runId, JANUARY);
    await expect(publish()).rejects.toMatchObject({
      code: "LEAF_CHANGED",
      message: expect.stringMatching(/^payments.txn_2025_01 cannot become a month of txn: .*early/),
    });
    await byHand("DROP TABLE early");
    await publish();
    expect(await differences()).toEqual([]);
  });
});

test("heal says what is in its way, before it makes anything", async () => {
  await load({});
  await byHand("ALTER TABLE txn_2025_01 RENAME TO january");
  await expect(rebuildMonth(platform.context, JANUARY)).rejects.toMatchObject({ code: "LEAF_CHANGED" });
});

test("columns that somebody adds are reported, and hinder neither runs nor verify nor heal", async () => {
  await load({});
  await byHand(
    "ALTER TABLE txn ADD note text",
    `ALTER TABLE txn ADD "Reason" text COLLATE "en-x-icu" NOT NULL DEFAULT 'none'`,
    "ALTER TABLE txn ADD line integer DEFAULT 7",
    "ALTER TABLE txn_reject ADD note text",
    "ALTER TABLE agg_merchant_day ADD note text",
    "ALTER TABLE agg_network_hour ADD note text DEFAULT ''",
    "ALTER TABLE account ADD note text",
    "ALTER TABLE etl.run ADD note text",
    "ALTER TABLE etl.chunk ADD note text",
  );
  const reported = await differences();
  expect(reported).toHaveLength(9);
  expect(reported.every((what) => /^column .* was added/.test(what))).toBe(true);
  // To the month that stands, and another of its own.
  await load({ seed: 8 });
  await platform.load({ seed: 9, rows: 3_000, fromOn: "2025-02-01", toOn: "2025-03-01" });
  expect(await differences()).toEqual(reported);
  const digests = await platform.digests();
  await byHand("UPDATE txn_2025_01 SET amount = amount + 1 WHERE txn_id % 10 = 0");
  await rebuildMonth(platform.context, JANUARY);
  expect(await platform.digests()).toEqual(digests);
  expect(await differences()).toEqual(reported);
});

test("heal does not throw away what somebody has put into a column of his own", async () => {
  await load({});
  await byHand("ALTER TABLE txn ADD note text", "UPDATE txn SET note = 'mine' WHERE txn_id % 1000 = 0");
  await expect(rebuildMonth(platform.context, JANUARY)).rejects.toMatchObject({
    code: "LEAF_CHANGED",
    message: expect.stringContaining("column note of payments.txn_2025_01"),
  });
  await byHand("UPDATE txn SET note = NULL");
  await rebuildMonth(platform.context, JANUARY);
});

describe("a column that somebody adds hinders neither a month that stands nor a new one nor heal", () => {
  test.each(
    sampled([
      ["ck integer CHECK (ck > 0)", []],
      ["gen integer GENERATED ALWAYS AS (1) STORED", []],
      [
        "base integer DEFAULT 4, ADD twice integer GENERATED ALWAYS AS (merchant_id * 2) STORED CHECK (twice > 0)",
        [],
      ],
      ["loaded_at timestamptz NOT NULL DEFAULT now()", ["loaded_at"]],
      ["at timestamptz DEFAULT CURRENT_TIMESTAMP, ADD id uuid DEFAULT gen_random_uuid()", ["at", "id"]],
      ["fee numeric(8, 2) NOT NULL DEFAULT 1 CHECK (fee < 5), ADD CHECK (amount < 5e9)", []],
    ] as const),
  )("%s", async (column, refilled) => {
    await load({});
    await byHand(`ALTER TABLE txn ADD ${column}`);
    const reported = await differences();
    await load({ seed: 8 });
    await platform.load({ seed: 9, rows: 3_000, fromOn: "2025-02-01", toOn: "2025-03-01" });
    const digests = await platform.digests();
    for (const month of [JANUARY, "2025-02-01"]) {
      expect(await rebuildMonth(platform.context, month)).toMatchObject({ refilled });
    }
    expect(await platform.digests()).toEqual(digests);
    expect(await differences()).toEqual(reported);
  });
});

describe("a run that a change to txn has overtaken", () => {
  const REQUIRED = "ALTER TABLE txn ADD ck integer NOT NULL DEFAULT 1; ALTER TABLE txn ALTER ck DROP DEFAULT";
  const FEBRUARY = { fromOn: "2025-02-01", toOn: "2025-03-01" };
  test.each([
    ["in a month that stands", {}, "SELECT", REQUIRED, /column "ck" of relation "txn_2025_01"/],
    ["in a new month", FEBRUARY, "SELECT", "ALTER TABLE txn ADD ck integer", /missing column "ck"/],
    [
      "by a check",
      FEBRUARY,
      "SELECT",
      "ALTER TABLE txn ADD CONSTRAINT ck CHECK (amount < 5e9)",
      /missing constraint "ck"/,
    ],
    [
      "by undoing",
      FEBRUARY,
      "ALTER TABLE txn ADD ck integer",
      "ALTER TABLE txn DROP ck",
      /"ck" not found in parent/,
    ],
  ] as const)("%s", async (_, spec, before, change, message) => {
    await load({});
    await byHand(before);
    const run = await platform.begin({ ...ONE_MONTH, seed: 8, ...spec });
    await byHand(change);
    await expect(aggStep(platform.context, run.runId, run.spec.fromOn)).rejects.toMatchObject({
      code: "LEAF_CHANGED",
      message: expect.stringMatching(message),
      hint: expect.stringContaining(`payments cancel ${run.runId}, then start another`),
    });
  });

  test("by a column that must have a value, is told when its rows are copied, and so is heal", async () => {
    await load({});
    await byHand(REQUIRED);
    await expect(platform.begin({ ...ONE_MONTH, seed: 8 })).rejects.toMatchObject({
      code: "LEAF_CHANGED",
      message: expect.stringContaining('"ck"'),
      hint: "Undo it (payments migrate verify names it). The run keeps what txn was when it was planned: payments cancel r2, then start another.",
    });
    const heal = () => rebuildMonth(platform.context, JANUARY);
    await expect(heal()).rejects.toMatchObject({
      code: "LEAF_CHANGED",
      hint: expect.stringContaining("NOT NULL"),
    });
    await byHand("DELETE FROM txn_2025_01");
    await expect(heal()).rejects.toMatchObject({
      code: "LEAF_CHANGED",
      hint: expect.stringContaining("heal again"),
    });
    await byHand("ALTER TABLE txn DROP ck");
    await heal();
    await load({ seed: 9 });
  });

  test("by a check that its rows do not meet, or a sequence that is not the loader's", async () => {
    for (const column of ["CHECK (amount < 1)", "n serial"]) {
      await byHand(`ALTER TABLE txn ADD ${column}`);
      await expect(platform.begin(ONE_MONTH)).rejects.toMatchObject({ code: "LEAF_CHANGED" });
      await byHand("ALTER TABLE txn DROP CONSTRAINT IF EXISTS txn_amount_check");
    }
  });
});

test("heal names what depends on the leaf, before it makes anything", async () => {
  await load({});
  await byHand(
    "CREATE VIEW mine AS SELECT t.txn_id FROM txn_2025_01 t JOIN account USING (account_id)",
    "CREATE MATERIALIZED VIEW ours AS SELECT count(*) FROM txn_2025_01",
    "CREATE FUNCTION of_leaf(txn_2025_01) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE notes (txn_id bigint, occurred_at timestamptz, FOREIGN KEY (txn_id, occurred_at) REFERENCES txn_2025_01)",
    // Its own, and what is on txn, are in nobody's way.
    "CREATE VIEW harmless AS SELECT txn_id FROM txn",
    "ALTER TABLE txn ADD CHECK (amount < 5e9), ADD gen integer GENERATED ALWAYS AS (merchant_id) STORED",
    "CREATE INDEX ON txn_2025_01 ((amount + 1)) WHERE merchant_id > 0",
    "CREATE STATISTICS s ON merchant_id, network FROM txn_2025_01",
  );
  const digests = await platform.digests();
  await expect(rebuildMonth(platform.context, JANUARY)).rejects.toMatchObject({
    code: "LEAF_CHANGED",
    message: expect.stringMatching(
      /^payments.txn_2025_01, which heal replaces, is used by constraint notes_\w+ on table notes, function of_leaf\(txn_2025_01\), materialized view ours, view mine\.$/,
    ),
  });
  await byHand("DROP VIEW mine", "DROP MATERIALIZED VIEW ours", "DROP FUNCTION of_leaf", "DROP TABLE notes");
  await rebuildMonth(platform.context, JANUARY);
  expect(await platform.digests()).toEqual(digests);
});
