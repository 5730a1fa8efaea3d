import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Rollups } from "../contracts/data.js";

export interface MonthRow {
  readonly month: string;
  readonly publishedAt: Date;
  readonly rows: bigint;
  readonly runs: readonly string[];
  readonly bytes: bigint;
}

/** Published months, oldest first. */
export async function listMonths(db: Queryable): Promise<readonly MonthRow[]> {
  const { rows } = await db.query<MonthRow>({
    name: "console_months",
    text: `SELECT month, published_at AS "publishedAt", txn_rows AS rows, runs, bytes FROM etl.console_month ORDER BY month`,
  });
  return rows;
}

/**
 * What tells a month's content from another one's: its runs, and the table that has it, which healing replaces. Empty where it
 * has neither.
 *
 * @param month `YYYY-MM-01`
 */
export async function contentOf(db: Queryable, month: string): Promise<string> {
  const { rows } = await db.query<{ content: string }>({
    name: "console_month_content",
    text: `SELECT concat_ws(' ', to_regclass(format('payments.%I', etl.leaf_name($1)))::oid, string_agg(run_id, ' ' ORDER BY run_id)) AS content
           FROM etl.console_run_month WHERE month = $1 AND state = 'done'`,
    values: [month],
  });
  return one(rows).content;
}

/** What is asked of roll-ups, by where it stands. */
const SOURCES: Readonly<
  Record<Exclude<Rollups["by"], "decline_reason">, readonly [group: string, view: string]>
> = {
  day: [`to_char(day, 'YYYY-MM-DD')`, "payments.console_merchant_day"],
  country: ["country", "payments.console_merchant_day"],
  category: ["category", "payments.console_merchant_day"],
  currency: ["currency", "payments.console_network_hour"],
  network: ["network", "payments.console_network_hour"],
  channel: ["channel", "payments.console_network_hour"],
};

export interface RollupRow {
  readonly group: string;
  readonly currency: string;
  readonly transactions: bigint;
  readonly approved: bigint;
  readonly fraud: bigint;
  /** Decimal text with two digits, as the roll-ups have it. */
  readonly amount: string;
}

/** A month's roll-ups by group and currency. @param month `YYYY-MM-01` */
export async function rollUp(
  db: Queryable,
  month: string,
  by: Exclude<Rollups["by"], "decline_reason">,
): Promise<readonly RollupRow[]> {
  const [group, view] = SOURCES[by];
  const { rows } = await db.query<RollupRow>({
    name: `console_rollup_${by}`,
    text: `SELECT ${group} AS "group", currency, sum(txn_count)::bigint AS transactions, sum(approved_count)::bigint AS approved,
                  sum(fraud_count)::bigint AS fraud, sum(amount)::text AS amount
           FROM ${view} WHERE month = $1 GROUP BY 1, 2`,
    values: [month],
  });
  return rows;
}

export interface DeclineRow {
  readonly code: string;
  readonly transactions: bigint;
  /** Of the month that was looked at. */
  readonly share: number;
}

/** Some 20 ms, whatever the month's size; shares come out within a percent. */
const SAMPLE_ROWS = 100_000;

/** Why transactions of a month were declined, by a sample; most first. */
export async function declinesOf(db: Queryable, month: string): Promise<readonly DeclineRow[]> {
  const { rows } = await db.query<DeclineRow>({
    name: "console_declines",
    text: `SELECT response_code AS code, transactions, share FROM payments.console_declines($1, $2) ORDER BY transactions DESC, code`,
    values: [month, SAMPLE_ROWS],
  });
  return rows;
}
