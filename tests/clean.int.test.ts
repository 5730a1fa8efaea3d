import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChunkSource } from "../etl/generate/source.js";
import { createRun, getRun } from "../etl/ledger.js";
import { cleanStep } from "../etl/steps/clean.js";
import { planStep } from "../etl/steps/plan.js";
import { stageStep } from "../etl/steps/stage.js";
import type { StepContext } from "../etl/steps/step.js";
import { silentLogger } from "../lib/log.js";
import { createPool } from "../lib/postgres/pool.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";

const MIN_INT = -2_147_483_648;
const MAX_INT = 2_147_483_647;
const MIN_BIGINT = "-9223372036854775808";
const LINES = 200;
/** An account and a terminal that nothing refers to once they are gone. */
const GONE = 12_345;

/** [line, what is changed in it, the reason it must be rejected for (undefined: accepted)]. `first` is the id of line 0. */
const TAMPERED: [line: number, change: string, reason: string | undefined][] = [
  [5, "txn_id = first + 2", "duplicate"],
  // Earlier than the row in its place, which is kept all the same.
  [3, "txn_id = first + 9", "duplicate"],
  [9, "kind = kind", undefined],
  // Nobody is in the place of 20, whose row took another id: the first line that claims it is kept.
  [20, "txn_id = first + 300", undefined],
  [30, "txn_id = first + 20", undefined],
  [31, "txn_id = first + 20", "duplicate"],
  [32, "txn_id = first + 300", "duplicate"],
  [40, "txn_id = NULL", "incomplete"],
  [41, "is_fraud = NULL", "incomplete"],
  [42, `txn_id = ${MIN_BIGINT}`, undefined],
  [50, "account_id = 0", "orphan_account"],
  [51, `account_id = ${MIN_INT}`, "orphan_account"],
  [52, `account_id = ${MAX_INT}`, "orphan_account"],
  [53, "account_id = NULL", "orphan_account"],
  [60, "terminal_id = 0", "orphan_terminal"],
  [61, `terminal_id = ${MIN_INT}`, "orphan_terminal"],
  [62, `terminal_id = ${MAX_INT}`, "orphan_terminal"],
  [63, "terminal_id = NULL", "orphan_terminal"],
  [64, "terminal_id = terminal_id % 20000 + 1, merchant_id = merchant_id % 5000 + 1", "foreign_terminal"],
  [65, "merchant_id = NULL", "orphan_merchant"],
  [66, `merchant_id = ${MIN_INT}`, "orphan_merchant"],
  [70, "amount = 0", "bad_amount"],
  [71, "amount = 'NaN'", "bad_amount"],
  [72, "amount = NULL, amount_raw = '12,34'", undefined],
  [73, "amount = NULL", "bad_amount"],
  [80, "occurred_at = 'infinity'", "bad_time"],
  [81, "occurred_at = NULL", "bad_time"],
  [90, "response_code = NULL", "bad_code"],
  [91, "status = ' Approved '", undefined],
];

let platform: Platform;
let source: ChunkSource;
let context: StepContext;
beforeEach(async () => {
  platform = await Platform.create();
  source = new ChunkSource();
  context = { pool: platform.pool, source, logger: silentLogger, worker: "test" };
});
afterEach(async () => {
  await source.close();
  await platform.close();
});

async function staged(): Promise<string> {
  const spec = {
    ...SMALL_SPEC,
    rows: LINES,
    toOn: "2025-02-01",
    dirtRate: 0,
    fraudRate: 0,
    chunkRows: LINES,
  };
  const { runId } = await createRun(platform.pool, spec, 4);
  await planStep(context, runId);
  await stageStep(context, runId, 0);
  return runId;
}

async function tamper(runId: string, line: number, change: string): Promise<void> {
  const { firstTxnId } = (await getRun(platform.pool, runId)).spec;
  const set = change.replaceAll("first", String(firstTxnId));
  await platform.pool.query(`UPDATE staging.txn_${runId}_0 SET ${set} WHERE line_no = ${line}`);
}

async function expectRejected(expected: Map<number, string>): Promise<void> {
  const { rows } = await platform.pool.query<{ line_no: number; reason: string }>(
    "SELECT line_no, reason FROM txn_reject ORDER BY line_no",
  );
  expect(new Map(rows.map((row) => [row.line_no, row.reason]))).toEqual(expected);
  expect(await platform.value("SELECT count(*) FROM txn_2025_01")).toBe(LINES - expected.size);
  expect(await platform.value("SELECT count(DISTINCT txn_id) FROM txn_2025_01")).toBe(LINES - expected.size);
}

describe.each([
  ["ids without gaps", false],
  ["ids with gaps", true],
])("%s", (_, gaps) => {
  test("each line gets the verdict it deserves", async () => {
    const runId = await staged();
    const expected = new Map<number, string>();
    for (const [line, change, reason] of TAMPERED) {
      await tamper(runId, line, change);
      if (reason !== undefined) expected.set(line, reason);
    }
    if (gaps) {
      const admin = createPool(platform.settings, { role: "admin", max: 1 });
      await admin.query("DELETE FROM payments.account WHERE account_id = $1", [GONE]);
      await admin.query("DELETE FROM payments.terminal WHERE terminal_id = $1", [GONE]);
      await admin.end();
      await tamper(runId, 100, `account_id = ${GONE}`);
      await tamper(runId, 101, `terminal_id = ${GONE}`);
      expected.set(100, "orphan_account").set(101, "orphan_terminal");
    }
    await cleanStep(context, runId, 0);
    await expectRejected(expected);
  });
});

test("a sender whose ids follow no order: every row is looked at, the first of each id is kept", async () => {
  const runId = await staged();
  await platform.pool.query(`UPDATE staging.txn_${runId}_0 SET txn_id = 1000000 + (line_no * 7) % 50`);
  await cleanStep(context, runId, 0);
  const expected = new Map<number, string>();
  for (let line = 50; line < LINES; line++) expected.set(line, "duplicate");
  await expectRejected(expected);
});
