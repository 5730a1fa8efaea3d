import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pool } from "../lib/postgres/pool.js";
import { loadSql } from "../lib/postgres/sql.js";
import { run } from "../lib/process/run.js";
import { packageRoot } from "../lib/root.js";
import { withPool } from "./harness/database.js";
import { type Busy, INTEGRITY, LAST_ID, SERVING } from "./harness/expected_plans.js";
import { explain, type PlanShape } from "./harness/plan.js";
import { Platform } from "./harness/platform.js";

/** A year, so that a month is a small part of each table; some 3,000 rows a month, enough to make an index pay. */
let platform: Platform;
let busy: Busy;
beforeAll(async () => {
  platform = await Platform.create();
  await platform.load({ rows: 36_000, toOn: "2026-01-01", chunkRows: 10_000 });
  // What autovacuum does within minutes; index-only scans and estimates depend on it.
  await asOwner((pool) => pool.query(`VACUUM (ANALYZE) ${TABLES.join()}`));
  busy = (
    await platform.pool.query(
      `SELECT mode() WITHIN GROUP (ORDER BY account_id) AS account,
              mode() WITHIN GROUP (ORDER BY merchant_id) AS merchant, refunded.*
       FROM payments.txn,
            (SELECT txn_id AS purchase, occurred_at::text AS purchased_at FROM payments.txn
             WHERE occurred_at >= '2025-09-01'
               AND txn_id IN (SELECT original_txn_id FROM payments.txn WHERE kind = 'refund' AND status = 'approved')
             ORDER BY txn_id LIMIT 1) refunded
       GROUP BY purchase, purchased_at`,
    )
  ).rows[0];
});
afterAll(() => platform.close());

const TABLES = ["txn", "agg_merchant_day", "agg_network_hour", "account", "merchant", "terminal"].map(
  (table) => `payments.${table}`,
);
const FIRST_OF_JUNE = `(SELECT min(txn_id) FROM payments.txn_2025_06)`;
/** More than these queries have a reason to sort, less than any table holds of a month. */
const FEW_ROWS = 1_500;

/** One connection that may do what the owner may. */
function asOwner<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, work);
}

/** The same, undone afterwards. */
function undone<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  return asOwner(async (pool) => {
    await pool.query("BEGIN");
    return work(pool).finally(() => pool.query("ROLLBACK"));
  });
}

const adviceOf = (query: string) => loadSql(query, { leaf: "payments.txn_2025_06" });

function check(shape: PlanShape, plan: Partial<PlanShape>): void {
  expect(shape).toMatchObject(plan);
  expect(shape.sortedRows).toBeLessThan(FEW_ROWS);
  // Of a month's rows most are wanted where a month is read.
  expect(shape.filteredRows).toBeLessThanOrEqual(shape.scannedRows + FEW_ROWS);
  // Three or four pages lead to the first row of a scan, then each row costs one at most. More means that rows or entries
  // are read and thrown away, which an index that is merely used does not rule out.
  expect(shape.pages).toBeLessThanOrEqual(2 * shape.scannedRows + 4 * shape.scans);
}

describe.each([...SERVING, ...INTEGRITY])("$query", ({ query, parameters, plan, spoilt }) => {
  test("is run as docs/plans.md says, whether its parameters are known to the planner or not", async () => {
    await asOwner(async (pool) => {
      check(await explain(pool, adviceOf(query), parameters(busy), "custom"), plan);
      check(await explain(pool, adviceOf(query), parameters(busy), "generic"), plan);
    });
  });

  test.each(spoilt.map((how) => [how]))("is not after %j", async (how) => {
    await undone(async (pool) => {
      let sql = adviceOf(query);
      if (typeof how === "string") {
        await pool.query(how);
      } else {
        expect(sql).toContain(how[0]);
        sql = sql.replace(how[0], how[1]);
      }
      const shape = await explain(pool, sql, parameters(busy));
      expect(() => check(shape, plan)).toThrow();
    });
  });
});

test.each(SERVING)(
  "$query finds something here, so that its plan had work to do",
  async ({ query, parameters }) => {
    const { rowCount } = await platform.pool.query(adviceOf(query), [...parameters(busy)]);
    expect(rowCount).toBeGreaterThan(0);
  },
);

test("docs/plans.md shows these queries and no others", () => {
  const page = readFileSync(join(packageRoot, "docs", "plans.md"), "utf8");
  const shown = [...page.matchAll(/^<!-- plan (\w+)/gm)].map((match) => match[1]);
  expect(shown).toEqual([...SERVING, ...INTEGRITY].map(({ query }) => query));
});

test("scripts/plans.sh makes the page's plans anew, and one alone", async () => {
  const env = { ...platform.settings, PAYMENTS_ENV_FILE: "/dev/null" };
  const plans = (...args: string[]) =>
    run([process.execPath, join(packageRoot, "dist", "bench", "plans.js"), ...args], { env });
  const page = readFileSync(join(packageRoot, "docs", "plans.md"), "utf8");
  const made = await plans();
  const proseOf = (text: string) =>
    text.replace(/(<!-- (?:plan|database).* -->\n)[\s\S]*?(<!-- end -->)/g, "$1$2");
  expect(proseOf(made)).toBe(proseOf(page));
  expect(made.match(/^Execution Time: /gm)).toHaveLength(SERVING.length + INTEGRITY.length);
  expect(made).toMatch(/^PostgreSQL .* rows in 12 months, /m);
  expect(await plans("merchant_day", String(busy.merchant), "2025-06-14")).toContain("on txn_2025_06 ");
  await expect(plans("../roles")).rejects.toThrow("USAGE_INVALID: there is no query ../roles");
});

test("counts, sums and duplicates are as they should be, and say so when they are not", async () => {
  await undone(async (pool) => {
    const wrong = async () => ({
      counts: (await pool.query(adviceOf("integrity_counts"))).rows
        .filter((row) => row.ledger_rows !== row.txn_rows)
        .map((row) => [row.leaf, row.txn_rows - row.ledger_rows]),
      sums: (await pool.query(adviceOf("integrity_sums"))).rows
        .filter(
          (row) =>
            new Set([row.txn_rows, row.merchant_rows, row.network_rows].map(String)).size > 1 ||
            new Set([row.txn_amount, row.merchant_amount, row.network_amount]).size > 1,
        )
        .map((row) => row.leaf),
      duplicates: (await pool.query(adviceOf("integrity_duplicates"))).rows.map((row) => row.txn_id),
    });
    expect(await wrong()).toEqual({ counts: [], sums: [], duplicates: [] });
    await pool.query(
      `UPDATE payments.txn SET occurred_at = occurred_at + interval '1 month' WHERE txn_id = ${FIRST_OF_JUNE}`,
    );
    expect(await wrong()).toMatchObject({
      counts: [
        ["txn_2025_06", -1],
        ["txn_2025_07", 1],
      ],
      sums: ["txn_2025_06", "txn_2025_07"],
    });
    await pool.query(
      `INSERT INTO payments.txn SELECT (jsonb_populate_record(t, jsonb_build_object('occurred_at', '2025-03-03'))).*
       FROM payments.txn t WHERE txn_id = ${FIRST_OF_JUNE}`,
    );
    expect((await wrong()).duplicates).toHaveLength(1);
    await pool.query(
      "UPDATE payments.agg_network_hour SET amount = amount + 0.01 WHERE month = '2025-12-01'",
    );
    expect((await wrong()).sums).toContain("txn_2025_12");
  });
});

test("a statement's pages hold each transaction once, also when several happen at the same time", async () => {
  await undone(async (pool) => {
    // Some 300 rows, several of them at midnight of the same day.
    await pool.query(
      `UPDATE payments.txn SET account_id = $1, occurred_at = date_trunc('day', occurred_at) WHERE txn_id % 100 = 0`,
      [busy.account],
    );
    const pages: number[] = [];
    let before: readonly [unknown, unknown] = ["infinity", LAST_ID];
    for (;;) {
      const { rows } = await pool.query(adviceOf("account_statement"), [busy.account, ...before]);
      const last = rows.at(-1);
      if (last === undefined) {
        break;
      }
      pages.push(...rows.map((row) => row.txn_id));
      before = [last.occurred_at, last.txn_id];
    }
    const all = await pool.query(
      "SELECT txn_id FROM payments.txn WHERE account_id = $1 ORDER BY occurred_at DESC, txn_id DESC",
      [busy.account],
    );
    expect(pages.length).toBeGreaterThan(300);
    expect(pages).toEqual(all.rows.map((row) => row.txn_id));
  });
});
