import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRun } from "../etl/ledger/new_run.js";
import { getRun } from "../etl/ledger/run.js";
import { aggStep } from "../etl/steps/agg.js";
import { cleanStep } from "../etl/steps/clean.js";
import { planStep } from "../etl/steps/plan_run.js";
import { stageStep } from "../etl/steps/stage.js";
import { withPool } from "./harness/database.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";

const MIN_INT = -2_147_483_648;
const MAX_INT = 2_147_483_647;
const MIN_BIGINT = "-9223372036854775808";
const LINES = 200;
/** An account and a terminal that nothing refers to once they are gone. */
const GONE = 12_345;
const MONTH = "2025-01-01";
const BUILD = "staging.txn_r1_2025_01";

/**
 * [line, what is changed in it, its verdict]: a reason to reject it, `passes` for a suspect that clean accepts, `right` for
 * a row that is no suspect. `first` is the id of line 0.
 */
type Tampered = [line: number, change: string, verdict: string];

const TAMPERED: Tampered[] = [
  [5, "txn_id = first + 2", "duplicate"],
  // Earlier than the row in its place, which is kept all the same.
  [3, "txn_id = first + 9", "duplicate"],
  [9, "kind = kind", "right"],
  // Nobody is in the place of 20, whose row took another id: the first line that claims it is kept.
  [20, "txn_id = first + 300", "passes"],
  [30, "txn_id = first + 20", "passes"],
  [31, "txn_id = first + 20", "duplicate"],
  [32, "txn_id = first + 300", "duplicate"],
  // Copies of rows that are suspects themselves: of one that passes, of one that does not.
  [34, "status = ' Approved '", "passes"],
  [33, "txn_id = first + 34", "duplicate"],
  [35, "txn_id = first + 34", "duplicate"],
  [36, "amount = 0", "bad_amount"],
  [37, "txn_id = first + 36", "duplicate"],
  [40, "txn_id = NULL", "incomplete"],
  [41, "is_fraud = NULL", "incomplete"],
  [42, `txn_id = ${MIN_BIGINT}`, "passes"],
  [43, "txn_id = NULL", "incomplete"],
  [44, "original_txn_id = NULL", "right"],
  [50, "account_id = 0", "orphan_account"],
  [53, "account_id = NULL", "orphan_account"],
  [54, "account_id = 100001", "orphan_account"],
  [55, "account_id = 100000", "right"],
  [60, "terminal_id = 0", "orphan_terminal"],
  [61, `terminal_id = ${MIN_INT}`, "orphan_terminal"],
  [62, `terminal_id = ${MAX_INT}`, "orphan_terminal"],
  [63, "terminal_id = NULL", "orphan_terminal"],
  [64, "terminal_id = terminal_id % 20000 + 1, merchant_id = merchant_id % 5000 + 1", "foreign_terminal"],
  [65, "merchant_id = NULL", "orphan_merchant"],
  [66, `merchant_id = ${MIN_INT}`, "orphan_merchant"],
  [67, `merchant_id = ${MAX_INT}`, "orphan_merchant"],
  [68, "terminal_id = NULL, merchant_id = 0", "orphan_merchant"],
  [70, "amount = 0", "bad_amount"],
  [71, "amount = 'NaN'", "bad_amount"],
  [72, "amount = NULL, amount_raw = '12,34'", "passes"],
  [73, "amount = NULL", "bad_amount"],
  [74, "amount = 999999999999.99", "bad_amount"],
  [80, "occurred_at = 'infinity'", "bad_time"],
  [81, "occurred_at = NULL", "bad_time"],
  [82, "occurred_at = '2025-02-01 00:00+00'", "bad_time"],
  [83, "occurred_at = '2025-01-31 23:59:59.999999+00'", "right"],
  [84, "occurred_at = '2025-01-01 00:00+00'", "right"],
  [90, "response_code = NULL", "bad_code"],
  [91, "kind = NULL", "bad_code"],
  [92, "channel = NULL", "bad_code"],
  [93, "network = NULL", "bad_code"],
  [94, "status = NULL", "bad_code"],
  [95, "currency = NULL", "bad_currency"],
  [96, "currency = ''", "bad_currency"],
];

const WITHOUT_GAPS: Tampered[] = [
  [51, `account_id = ${MIN_INT}`, "orphan_account"],
  [52, `account_id = ${MAX_INT}`, "orphan_account"],
];

const GAPS = `DELETE FROM payments.account WHERE account_id = ${GONE};
  DELETE FROM payments.terminal WHERE terminal_id = ${GONE};
  INSERT INTO payments.account
    SELECT id, holder_name, email, country, currency, segment, spending_level, card_network, 'token ' || id, card_bin,
           card_last4, opened_on
    FROM payments.account, unnest(ARRAY[${MIN_INT}, ${MAX_INT}]) AS id
    WHERE account_id = 1;
  INSERT INTO payments.terminal VALUES (30000, 7, 'pos')`;
const WITH_GAPS: Tampered[] = [
  [51, `account_id = ${MIN_INT}`, "right"],
  [52, `account_id = ${MAX_INT}`, "right"],
  [100, `account_id = ${GONE}`, "orphan_account"],
  [101, `terminal_id = ${GONE}`, "orphan_terminal"],
  [102, `terminal_id = ${GONE}, merchant_id = 0`, "orphan_merchant"],
  [103, "terminal_id = 30000, merchant_id = 7", "right"],
  [104, "terminal_id = 25000, merchant_id = 7", "orphan_terminal"],
];

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

/** As the owner. */
function change(sql: string): Promise<unknown> {
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) => pool.query(sql));
}

async function planned(): Promise<string> {
  const spec = {
    ...SMALL_SPEC,
    rows: LINES,
    toOn: "2025-02-01",
    dirtRate: 0,
    fraudRate: 0,
    chunkRows: LINES,
  };
  const { runId } = await createRun(platform.pool, spec, 4);
  await planStep(platform.context, runId);
  return runId;
}

/** An update that PostgreSQL sorts into leaf or suspects just as COPY would have. */
async function tamper(runId: string, tampered: readonly Tampered[]): Promise<void> {
  const { firstTxnId } = (await getRun(platform.pool, runId)).spec;
  const updates = tampered.map(([line, set]) => {
    const own = firstTxnId + line;
    const lineId = set.startsWith("txn_id") ? `, line_id = ${own}` : "";
    return `UPDATE ${BUILD} SET ${set.replaceAll("first", String(firstTxnId))}${lineId} WHERE coalesce(line_id, txn_id) = ${own}`;
  });
  await change(updates.join(";"));
}

async function expectRejected(expected: Map<number, string>): Promise<void> {
  const { rows } = await platform.pool.query<{ line_no: number; reason: string }>(
    "SELECT line_no, reason FROM txn_reject ORDER BY line_no",
  );
  expect(new Map(rows.map((row) => [row.line_no, row.reason]))).toEqual(expected);
  expect(await platform.value(`SELECT count(*) FROM ${BUILD}_suspect`)).toBe(0);
  expect(await platform.value(`SELECT count(*) FROM ${BUILD}_leaf`)).toBe(LINES - expected.size);
  expect(await platform.value(`SELECT count(DISTINCT txn_id) FROM ${BUILD}_leaf`)).toBe(
    LINES - expected.size,
  );
}

describe.each([
  ["ids without gaps", undefined, [...TAMPERED, ...WITHOUT_GAPS]],
  ["ids with gaps, the smallest and the largest among them", GAPS, [...TAMPERED, ...WITH_GAPS]],
])("%s", (_, before, tampered) => {
  test("each line gets the verdict it deserves", async () => {
    if (before !== undefined) {
      await change(before);
    }
    const runId = await planned();
    await stageStep(platform.context, runId, 0);
    expect(await platform.value(`SELECT count(*) FROM ${BUILD}_leaf`)).toBe(LINES);
    await tamper(runId, tampered);
    const { firstTxnId } = (await getRun(platform.pool, runId)).spec;
    const { rows: suspects } = await platform.pool.query<{ line: number }>(
      `SELECT (coalesce(line_id, txn_id) - $1)::integer AS line FROM ${BUILD}_suspect ORDER BY 1`,
      [firstTxnId],
    );
    const doubtful = tampered.filter(([, , verdict]) => verdict !== "right").map(([line]) => line);
    expect(suspects.map(({ line }) => line)).toEqual(doubtful.toSorted((a, b) => a - b));

    await cleanStep(platform.context, runId, 0);
    const rejected = tampered.filter(([, , verdict]) => verdict !== "right" && verdict !== "passes");
    await expectRejected(new Map(rejected.map(([line, , verdict]): [number, string] => [line, verdict])));
    await aggStep(platform.context, runId, MONTH);
    expect(await platform.value("SELECT count(*) FROM txn")).toBe(LINES - rejected.length);
  });
});

test("a sender whose ids follow no order: every row is looked at, the first of each id is kept", async () => {
  const runId = await planned();
  await stageStep(platform.context, runId, 0);
  const { firstTxnId } = (await getRun(platform.pool, runId)).spec;
  await change(
    `UPDATE ${BUILD} SET line_id = txn_id, txn_id = 1000000 + ((txn_id - ${firstTxnId}) * 7) % 50`,
  );
  await cleanStep(platform.context, runId, 0);
  const expected = new Map<number, string>();
  for (let line = 50; line < LINES; line++) {
    expected.set(line, "duplicate");
  }
  await expectRejected(expected);
});

test("suspects that were lost before clean counts them: agg notices", async () => {
  const runId = await planned();
  await stageStep(platform.context, runId, 0);
  await tamper(runId, [[50, "status = ' Approved '", "passes"]]);
  await change(`DELETE FROM ${BUILD}_suspect`);
  await cleanStep(platform.context, runId, 0);
  await expect(aggStep(platform.context, runId, MONTH)).rejects.toMatchObject({
    code: "CHUNK_COUNT_MISMATCH",
  });
  expect(await platform.value("SELECT count(*) FROM txn")).toBe(0);
});

test("a row of an account that came after the run was planned: the step fails and leaves all as it was", async () => {
  const runId = await planned();
  await change(
    `INSERT INTO payments.account
     SELECT 100001, holder_name, email, country, currency, segment, spending_level, card_network, 'late', card_bin, card_last4,
            opened_on
     FROM payments.account WHERE account_id = 1`,
  );
  await stageStep(platform.context, runId, 0);
  await tamper(runId, [
    [50, "account_id = 100001", "passes"],
    [51, "account_id = 0", "orphan_account"],
  ]);
  await expect(cleanStep(platform.context, runId, 0)).rejects.toMatchObject({ code: "23514" });
  expect(await platform.value(`SELECT count(*) FROM ${BUILD}_suspect`)).toBe(2);
  expect(await platform.value("SELECT count(*) FROM txn_reject")).toBe(0);
  expect(await platform.value("SELECT state FROM etl.chunk")).toBe("staged");
});
