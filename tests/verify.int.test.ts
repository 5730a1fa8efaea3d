import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cancelRun } from "../etl/runs/cancel.js";
import { aggStep } from "../etl/steps/agg.js";
import type { Mismatch, VerifyReport } from "../etl/verify/report.js";
import { verify } from "../etl/verify/verify.js";
import type { Pool } from "../lib/postgres/pool.js";
import { loadSql } from "../lib/postgres/sql.js";
import { copyDatabase, dropDatabase, withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { payments } from "./harness/process.js";
import { firstOfEach, sampled } from "./harness/sampled.js";

/** Two runs of two months each, which share February; chunks of about 500 rows. */
let platform: Platform;
beforeAll(async () => {
  platform = await Platform.create();
  const spec = { rows: 3_000, fromOn: "2025-01-01", toOn: "2025-03-01", chunkRows: 500 };
  await platform.load(spec);
  await platform.load({ ...spec, rows: 2_000, seed: 8, fromOn: "2025-02-01", toOn: "2025-04-01" });
});
afterAll(() => platform.close());

/** Runs `work` on a copy of a platform's database in which the owner has run `sql`. */
async function corrupted<T>(
  sql: string,
  work: (database: string) => Promise<T>,
  original = platform,
): Promise<T> {
  const database = await copyDatabase(original.settings.POSTGRES_DB);
  try {
    await withPool({ role: "admin", database }, (pool) => pool.query(sql));
    return await work(database);
  } finally {
    await dropDatabase(database);
  }
}

/** As the commands do it: the loader looks. */
function report(database: string, runId?: string): Promise<VerifyReport> {
  return withPool({ role: "loader", database }, (pool: Pool) => verify(pool, runId));
}

/** The row that most corruptions touch: in the middle of February's third chunk of r1, plain and accepted. */
const VICTIM = `(SELECT txn_id FROM payments.txn JOIN etl.chunk c ON txn_id >= c.first_txn_id
                 AND txn_id < c.first_txn_id + c.txn_rows
                 WHERE c.run_id = 'r1' AND c.chunk_no = 4 ORDER BY txn_id OFFSET 200 LIMIT 1)`;
const FEBRUARY = "2025-02-01";
const IN_CHUNK = { month: FEBRUARY, run: "r1", chunk: 4 };

type Corruption = [what: string, sql: string, ...differences: Partial<Mismatch>[]];
/** Some of them, and each check that finds one. */
const someOf = (corruptions: readonly Corruption[]) =>
  sampled(
    corruptions,
    firstOfEach(corruptions, ([, , difference]) => difference?.check),
  );

const CORRUPTIONS: Corruption[] = [
  [
    "an amount that is a cent too high",
    `UPDATE payments.txn SET amount = amount + 0.01 WHERE txn_id = ${VICTIM}`,
    { check: "content", what: "digest", ...IN_CHUNK },
    { check: "content", what: "digest of the month", month: FEBRUARY },
    { check: "aggregates", month: FEBRUARY, what: "agg_merchant_day: groups that differ from txn" },
    { check: "aggregates", month: FEBRUARY, what: "agg_network_hour: groups that differ from txn" },
  ],
  [
    "two rows that have swapped amounts",
    `UPDATE payments.txn t SET amount = o.amount
     FROM payments.txn o
     WHERE t.txn_id IN (${VICTIM}, ${VICTIM} + 1) AND o.txn_id IN (${VICTIM}, ${VICTIM} + 1) AND o.txn_id <> t.txn_id`,
    { check: "content", what: "digest", ...IN_CHUNK },
  ],
  [
    "a row deleted",
    `DELETE FROM payments.txn WHERE txn_id = ${VICTIM}`,
    { check: "content", what: "rows", ...IN_CHUNK },
    { check: "content", what: "digest", ...IN_CHUNK },
  ],
  [
    "a row doubled under the id of a rejected one",
    `INSERT INTO payments.txn
     SELECT r.txn_id, t.occurred_at, t.account_id, t.merchant_id, t.terminal_id, t.amount, t.currency, t.kind,
            t.channel, t.network, t.status, t.response_code, t.original_txn_id, t.is_fraud
     FROM payments.txn t, (SELECT min(txn_id) AS txn_id FROM payments.txn_reject
                           WHERE run_id = 'r1' AND chunk_no = 4 AND reason = 'bad_amount') r
     WHERE t.txn_id = ${VICTIM}`,
    { check: "content", what: "rows", ...IN_CHUNK },
    { check: "content", what: "digest", ...IN_CHUNK },
  ],
  [
    "a row with an id of no run",
    `INSERT INTO payments.txn VALUES
     (999999999, '2025-03-05', 1, 1, 1, 9.99, 'EUR', 'purchase', 'pos', 'visa', 'approved', '00', NULL, false)`,
    { check: "content", what: "rows beyond its last id", month: "2025-03-01", run: "r2" },
    { check: "content", what: "digest", month: "2025-03-01", run: "r2" },
  ],
  [
    "a row with an id before any run's",
    `INSERT INTO payments.txn VALUES
     (-5, '2025-01-05', 1, 1, 1, 9.99, 'EUR', 'purchase', 'pos', 'visa', 'approved', '00', NULL, false)`,
    { check: "content", what: "rows of no run", month: "2025-01-01", expected: 0, found: 1 },
  ],
  [
    "a row in a month that no run has",
    `CREATE TABLE payments.txn_2031_01 PARTITION OF payments.txn FOR VALUES FROM ('2031-01-01 00:00+00') TO ('2031-02-01 00:00+00')`,
    { check: "structure", what: "txn_2031_01 is attached to txn, but is the leaf of no month of the ledger" },
  ],
  [
    "another currency",
    `UPDATE payments.txn SET currency = CASE currency WHEN 'EUR' THEN 'USD' ELSE 'EUR' END WHERE txn_id = ${VICTIM}`,
    { check: "content", what: "digest", ...IN_CHUNK },
  ],
  [
    "a flipped is_fraud",
    `UPDATE payments.txn SET is_fraud = NOT is_fraud WHERE txn_id = ${VICTIM}`,
    { check: "content", what: "digest", ...IN_CHUNK },
  ],
  [
    "a moment later",
    `UPDATE payments.txn SET occurred_at = occurred_at + interval '1 microsecond' WHERE txn_id = ${VICTIM}`,
    { check: "content", what: "digest", ...IN_CHUNK },
  ],
  [
    "an aggregate changed by a cent",
    `UPDATE payments.agg_merchant_day SET approved_amount = approved_amount + 0.01
     WHERE (month, merchant_id, day) = (SELECT month, merchant_id, day FROM payments.agg_merchant_day
                                        WHERE month = '${FEBRUARY}' ORDER BY 1, 2, 3 LIMIT 1)`,
    { check: "aggregates", month: FEBRUARY, what: "agg_merchant_day: groups that differ from txn", found: 1 },
  ],
  [
    "an aggregate missing",
    `DELETE FROM payments.agg_network_hour WHERE ctid = (SELECT min(ctid) FROM payments.agg_network_hour
                                                         WHERE month = '${FEBRUARY}')`,
    { check: "aggregates", month: FEBRUARY, what: "agg_network_hour: groups that differ from txn", found: 1 },
  ],
  [
    "an aggregate too many",
    `INSERT INTO payments.agg_network_hour
     VALUES ('${FEBRUARY}', '2025-02-03', 'visa', 'pos', 'XXX', 1, 1, 0, 9.99)`,
    { check: "aggregates", month: FEBRUARY, what: "agg_network_hour: groups that differ from txn", found: 1 },
  ],
  [
    "an aggregate of a month that no run has",
    `INSERT INTO payments.agg_network_hour
     VALUES ('2031-01-01', '2031-01-03', 'visa', 'pos', 'EUR', 1, 1, 0, 9.99)`,
    { check: "structure", month: "2031-01-01", what: "agg_network_hour holds a month that no run has" },
  ],
  [
    "a reject deleted",
    `DELETE FROM payments.txn_reject WHERE (run_id, chunk_no) = ('r1', 4) AND reason = 'bad_amount'
     AND line_no = (SELECT min(line_no) FROM payments.txn_reject
                    WHERE (run_id, chunk_no) = ('r1', 4) AND reason = 'bad_amount')`,
    { check: "rejects", run: "r1", chunk: 4, class: "bad_amount", what: "rows in txn_reject" },
  ],
  [
    "a reject with another reason",
    `UPDATE payments.txn_reject SET reason = 'other' WHERE ctid =
     (SELECT min(ctid) FROM payments.txn_reject WHERE (run_id, chunk_no) = ('r1', 4) AND reason = 'bad_amount')`,
    { check: "rejects", run: "r1", chunk: 4, class: "bad_amount" },
    { check: "rejects", run: "r1", chunk: 4, class: "other", expected: 0, found: 1 },
  ],
  [
    "a reject of no run",
    `INSERT INTO payments.txn_reject (run_id, chunk_no, reason, rejected_at, line_no)
     VALUES ('r999', 0, 'bad_amount', now(), 1)`,
    { check: "rejects", run: "r999", chunk: 0, class: "bad_amount", expected: 0, found: 1 },
  ],
  [
    "an account deleted",
    `DELETE FROM payments.account
     WHERE account_id = (SELECT account_id FROM payments.txn WHERE txn_id = ${VICTIM})`,
    { check: "references", month: FEBRUARY, what: "rows without their account" },
  ],
  [
    "a terminal given to another merchant",
    `UPDATE payments.terminal SET merchant_id = merchant_id % 5000 + 1
     WHERE terminal_id = (SELECT terminal_id FROM payments.txn WHERE txn_id = ${VICTIM})`,
    { check: "references", month: FEBRUARY, what: "rows without their terminal of another merchant" },
  ],
  [
    "an index dropped",
    "DROP INDEX payments.txn_account_idx",
    { check: "structure", what: "index payments.txn.txn_account_idx is missing" },
  ],
  [
    "an index that the leaves lack",
    "CREATE INDEX more_idx ON ONLY payments.txn (amount)",
    { check: "structure", month: FEBRUARY, what: "its leaf lacks index more_idx" },
  ],
  [
    "a leaf detached",
    "ALTER TABLE payments.txn DETACH PARTITION payments.txn_2025_02",
    { check: "structure", month: FEBRUARY, what: "its leaf is not attached to txn" },
  ],
  [
    "a leaf dropped",
    "DROP TABLE payments.txn_2025_02",
    { check: "content", month: FEBRUARY, what: "payments.txn_2025_02 is missing" },
    { check: "structure", month: FEBRUARY, what: "its leaf is not attached to txn" },
  ],
  [
    "a build left over of a month that is done",
    "CREATE TABLE staging.txn_r1_2025_02 (LIKE staging.txn_shape)",
    { check: "structure", what: "staging table txn_r1_2025_02 belongs to no unfinished month" },
  ],
  [
    "a chunk's accepted count edited",
    "UPDATE etl.chunk SET accepted = accepted + 1 WHERE (run_id, chunk_no) = ('r1', 4)",
    { check: "answer_key", run: "r1", chunk: 4, class: "accepted" },
    { check: "answer_key", run: "r1", chunk: 4, class: "accepted + rejected" },
  ],
  [
    "a chunk's repaired count edited",
    "UPDATE etl.chunk SET repaired = repaired + 1 WHERE (run_id, chunk_no) = ('r1', 4)",
    { check: "answer_key", run: "r1", chunk: 4, class: "repaired" },
  ],
  [
    "a finding edited",
    `UPDATE etl.chunk_class SET found = found + 1
     WHERE (run_id, chunk_no, class) = ('r1', 4, 'padding')`,
    { check: "answer_key", run: "r1", chunk: 4, class: "padding" },
  ],
  [
    "a chunk gone from ledger and table alike",
    `DELETE FROM payments.txn USING etl.chunk c
     WHERE (run_id, chunk_no) = ('r1', 4) AND txn_id BETWEEN c.first_txn_id AND c.first_txn_id + c.txn_rows - 1;
     DELETE FROM payments.txn_reject WHERE (run_id, chunk_no) = ('r1', 4);
     DELETE FROM etl.chunk WHERE (run_id, chunk_no) = ('r1', 4);`,
    { check: "ledger", run: "r1", month: FEBRUARY, what: "chunks cleaned" },
    { check: "ledger", run: "r1", month: FEBRUARY, what: "rows in its chunks" },
  ],
  [
    "a run's rows edited",
    "UPDATE etl.run SET txn_rows = txn_rows + 1 WHERE run_id = 'r1'",
    { check: "ledger", run: "r1", what: "rows in its months", expected: 3_001, found: 3_000 },
  ],
  [
    "a run's month gone from the ledger",
    "DELETE FROM etl.run_month WHERE (run_id, month) = ('r1', '2025-01-01')",
    { check: "ledger", run: "r1", what: "months", expected: 2, found: 1 },
  ],
];

test("untouched data verifies, of all runs and of one, on the command line too", async () => {
  const all = await report(platform.settings.POSTGRES_DB);
  expect(all).toMatchObject({ ok: true, differences: [], runs: ["r1", "r2"], unfinishedRuns: [] });
  expect(all.months.map((month) => month.month)).toEqual(["2025-01-01", FEBRUARY, "2025-03-01"]);
  expect(all.rows).toBe(await platform.value("SELECT count(*) FROM txn"));
  const one = await report(platform.settings.POSTGRES_DB, "r1");
  expect(one).toMatchObject({ ok: true, differences: [], runs: ["r1"] });
  expect(one.months).toEqual(all.months.slice(0, 2));

  const text = await payments(platform.settings, "verify");
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toMatch(/\nverified: [0-9,]+ rows in 3 months are just what 2 run\(s\) describe\n$/);
  const json = await payments(platform.settings, "verify", "r1", "--json");
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toEqual(one);
});

describe("verify finds", () => {
  test.each(someOf(CORRUPTIONS))("%s", async (_, sql, ...expected) => {
    await corrupted(sql, async (database) => {
      const found = await report(database);
      expect(found.ok).toBe(false);
      for (const difference of expected) {
        expect(found.differences).toContainEqual(expect.objectContaining(difference));
      }
    });
  });
});

test("on the command line a mismatch ends with 3 and says where, as text and as JSON", async () => {
  const sql = `UPDATE payments.txn SET amount = amount + 0.01 WHERE txn_id = ${VICTIM}`;
  await corrupted(sql, async (database) => {
    const settings = { ...platform.settings, POSTGRES_DB: database };
    const text = await payments(settings, "verify");
    expect(text).toMatchObject({ code: 3, stderr: "" });
    expect(text.stdout).toMatch(
      /^content: month 2025-02, run r1, chunk 4: digest: expected \w{32}, found \w{32}$/m,
    );
    expect(text.stdout).toContain("VERIFY_MISMATCH: 4 difference(s)");
    const json = await payments(settings, "verify", "r1", "--json");
    expect(json.code).toBe(3);
    const found: VerifyReport = JSON.parse(json.stdout);
    expect(found.ok).toBe(false);
    expect(found.differences).toContainEqual(expect.objectContaining({ check: "content", ...IN_CHUNK }));
  });
});

/** In the build of a month of which two chunks are cleaned, a third is staged, others are to come. */
const BUILD = "staging.txn_r1_2025_01";
const BUILT = `(SELECT min(txn_id) FROM ${BUILD}_leaf)`;
const IN_BUILT = { month: "2025-01-01", run: "r1", chunk: 0 };
const BUILD_CORRUPTIONS: Corruption[] = [
  [
    "an amount that is a cent too high",
    `UPDATE ${BUILD}_leaf SET amount = amount + 0.01 WHERE txn_id = ${BUILT}`,
    { check: "content", what: "digest", ...IN_BUILT },
    { check: "content", what: "digest of the month", month: "2025-01-01" },
  ],
  [
    "a row deleted",
    `DELETE FROM ${BUILD}_leaf WHERE txn_id = ${BUILT}`,
    { check: "content", what: "rows", ...IN_BUILT },
  ],
  [
    "a row doubled",
    `INSERT INTO ${BUILD}_leaf SELECT * FROM ${BUILD}_leaf WHERE txn_id = ${BUILT}`,
    { check: "content", what: "rows", ...IN_BUILT },
  ],
  [
    "a row with an id before any run's",
    `INSERT INTO ${BUILD}_leaf SELECT added.*
     FROM ${BUILD}_leaf l, jsonb_populate_record(l, '{"txn_id": -5}') added WHERE l.txn_id = ${BUILT}`,
    { check: "content", what: "rows of no run", month: "2025-01-01", expected: 0, found: 1 },
  ],
  [
    "all rows gone",
    `TRUNCATE ${BUILD}`,
    { check: "content", what: "rows", ...IN_BUILT, found: 0 },
    { check: "content", what: "rows", ...IN_BUILT, chunk: 1, found: 0 },
  ],
  [
    "the build gone",
    `DROP TABLE ${BUILD}`,
    ...["", "_leaf", "_suspect"].map((table) => ({
      check: "structure" as const,
      month: "2025-01-01",
      what: `txn_r1_2025_01${table}, which run r1 builds it in, is missing`,
    })),
  ],
  [
    "its parts gone, but for the rows",
    `ALTER TABLE ${BUILD} DETACH PARTITION ${BUILD}_leaf; DROP TABLE ${BUILD}`,
    {
      check: "structure",
      month: "2025-01-01",
      what: "txn_r1_2025_01, which run r1 builds it in, is missing",
    },
  ],
  [
    "nowhere for suspects to go",
    `DROP TABLE ${BUILD}_suspect`,
    {
      check: "structure",
      month: "2025-01-01",
      what: "txn_r1_2025_01_suspect, which run r1 builds it in, is missing",
    },
  ],
  [
    "a month called done that was never published",
    "UPDATE etl.run_month SET state = 'done' WHERE month = '2025-01-01'",
    { check: "content", month: "2025-01-01", what: "payments.txn_2025_01 is missing" },
    { check: "structure", what: "staging table txn_r1_2025_01_leaf belongs to no unfinished month" },
  ],
];

describe("verify finds, in what is being built,", () => {
  let building: Platform;
  beforeAll(async () => {
    building = await Platform.create();
    await building.begin({ rows: 6_000, toOn: "2025-03-01", chunkRows: 500 }, { staged: 3, cleaned: 2 });
  });
  afterAll(() => building.close());

  test("nothing while nobody has touched it; what is staged only is not looked at yet", async () => {
    const found = await building.verify();
    expect(found).toMatchObject({ differences: [], unfinishedRuns: ["r1"] });
    expect(found.rows).toBe(await building.value("SELECT sum(accepted)::integer FROM etl.chunk"));
  });

  test.each(someOf(BUILD_CORRUPTIONS))("%s", async (_, sql, ...expected) => {
    const look = async (database: string) => {
      const { differences } = await report(database);
      for (const difference of expected) {
        expect(differences).toContainEqual(expect.objectContaining(difference));
      }
    };
    await corrupted(sql, look, building);
  });
});

test("beside runs that begin, overlap, publish, add and are cancelled, no look at them finds a difference or fails", async () => {
  const other = await Platform.create();
  try {
    const worker = await other.startWorker();
    const spec = { rows: 12_000, chunkRows: 500 };
    const runs = [await other.kickoff(spec), await other.kickoff({ ...spec, seed: 8, fromOn: "2025-01-10" })];
    const reports: VerifyReport[] = [];
    const over = async () =>
      (await other.value("SELECT count(*) FROM etl.run WHERE state IN ('done', 'cancelled')")) === 3;
    const late = eventually("half of it", () =>
      other.value<boolean>("SELECT count(*) > 20 FROM etl.chunk"),
    ).then(() => other.kickoff({ ...spec, seed: 9 }));
    const cancelled = late
      .then(({ runId }) =>
        eventually("some chunks", () =>
          other.value<boolean>("SELECT count(*) > 5 FROM etl.chunk WHERE run_id = $1", [runId]),
        ),
      )
      .then(async () => cancelRun(other.pool, (await late).runId));
    // As often as it can, beside the load: no snapshot of it may look wrong.
    while (!(await over())) {
      reports.push(await other.verify());
    }
    expect((await cancelled).rows).toBeGreaterThan(0);
    await other.stopWorker(worker);
    reports.push(await other.verify());
    expect(reports.flatMap((each) => each.differences)).toEqual([]);
    const partial = reports.filter((each) => each.unfinishedRuns.length > 0 && each.rows > 0);
    expect(partial.length).toBeGreaterThan(0);
    expect(reports.at(-1)).toMatchObject({ unfinishedRuns: [] });
    expect((await other.verify(runs[0]?.runId)).differences).toEqual([]);
  } finally {
    await other.close();
  }
});

test("a run that began while verify waited for another's build is seen as a whole", async () => {
  const other = await Platform.create();
  try {
    const spec = { rows: 2_000, toOn: "2025-02-01", chunkRows: 1_000 };
    await other.begin(spec);
    const { verifying } = await withPool(
      { role: "admin", database: other.settings.POSTGRES_DB },
      async (holder) => {
        await holder.query("BEGIN; LOCK TABLE staging.txn_r1_2025_01");
        const verifying = other.verify();
        await eventually("verify waiting", () =>
          other.value<boolean>(
            `SELECT count(*) > 0 FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'`,
          ),
        );
        await other.begin({ ...spec, seed: 8 });
        await holder.query("COMMIT");
        return { verifying };
      },
    );
    const { differences, rows } = await verifying;
    expect(differences).toEqual([]);
    expect(rows).toBe(await other.value("SELECT sum(accepted)::integer FROM etl.chunk"));
  } finally {
    await other.close();
  }
});

test("a month published while its tables are looked for is neither unattached nor without its build", async () => {
  const other = await Platform.create();
  try {
    const { runId } = await other.begin({ rows: 2_000, toOn: "2025-02-01" });
    await withPool({ role: "loader", database: other.settings.POSTGRES_DB }, async (pool) => {
      const structure = async () => (await pool.query(loadSql("verify_structure"))).rows;
      await pool.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
      expect(await structure()).toEqual([]);
      await aggStep(other.context, runId, "2025-01-01");
      expect(await structure()).toEqual([]);
      await pool.query("COMMIT");
      expect(await structure()).toEqual([]);
    });
  } finally {
    await other.close();
  }
});
