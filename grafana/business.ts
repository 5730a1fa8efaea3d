import { CURRENCIES } from "../lib/domain/codes.js";
import { graph, stat, table } from "../lib/observability/panels.js";
import type { DashboardSpec } from "./panels.js";

const HOURS = "FROM payments.agg_network_hour WHERE $__timeFilter(hour)";
const DAYS = "FROM payments.agg_merchant_day a WHERE $__timeFilter(a.day::timestamp)";
const MERCHANT_DAYS =
  "FROM payments.agg_merchant_day a JOIN payments.merchant m USING (merchant_id) WHERE $__timeFilter(a.day::timestamp)";
const VOLUME = "sum(txn_count)::float8";
const APPROVAL = "sum(approved_count)::float8 / nullif(sum(txn_count), 0)";
const FRAUD = "sum(fraud_count)::float8 / nullif(sum(txn_count), 0)";
/** Amounts of different currencies cannot be added up. */
const IN_CURRENCY = "AND currency = '$" + "{currency}'";

/** A measure of each day, a line for each value of a column. */
const daily = (column: string, measure: string) =>
  `SELECT date_trunc('day', hour) AS time, ${column} AS metric, ${measure} AS value ${HOURS} GROUP BY 1, 2 ORDER BY 1, 2`;

export const business: DashboardSpec = {
  uid: "payments-business",
  title: "Payments - Business",
  description:
    "What was paid, from the roll-ups agg_network_hour and agg_merchant_day. Times are the transactions' own, in UTC.",
  // The default run fills 2025.
  window: { from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" },
  source: "postgres",
  variables: { currency: CURRENCIES },
  rows: {
    "In the period": [
      stat(
        "Transactions",
        "short",
        "Accepted, whatever became of them.",
        `SELECT ${VOLUME} AS transactions ${HOURS}`,
        { width: 6 },
      ),
      stat(
        "Approved",
        "percentunit",
        "Share of transactions that the issuer approved.",
        `SELECT ${APPROVAL} AS approved ${HOURS}`,
        { width: 6 },
      ),
      stat(
        "Fraud",
        "percentunit",
        "Share of transactions later reported as fraud.",
        `SELECT ${FRAUD} AS fraud ${HOURS}`,
        { width: 6 },
      ),
      stat(
        "Approved amount",
        "short",
        "Of purchases and cash, in the chosen currency.",
        `SELECT sum(a.approved_amount)::float8 AS amount ${DAYS} ${IN_CURRENCY}`,
        { width: 6 },
      ),
    ],
    Volume: [
      graph(
        "Transactions a day by network",
        "short",
        "Weekdays and seasons show; a gap is a month that is not published.",
        daily("network", VOLUME),
        { stacked: true },
      ),
      graph(
        "Transactions a day by channel",
        "short",
        "At the counter, on the web, at a cash machine.",
        daily("channel", VOLUME),
        { stacked: true },
      ),
      table(
        "Transactions by hour of the day",
        "short",
        "UTC; a merchant's own evening lies elsewhere.",
        `SELECT extract(hour FROM hour AT TIME ZONE 'UTC')::integer AS hour_of_day, ${VOLUME} AS transactions ${HOURS} GROUP BY 1 ORDER BY 1`,
      ),
      table(
        "Transactions by currency",
        "short",
        "Of all currencies.",
        `SELECT currency, ${VOLUME} AS transactions ${HOURS} GROUP BY 1 ORDER BY 2 DESC`,
      ),
    ],
    "Approval and fraud": [
      graph(
        "Approved by network",
        "percentunit",
        "Share of a day's transactions. A network that falls alone has trouble of its own.",
        daily("network", APPROVAL),
        { max: 1 },
      ),
      graph(
        "Fraud by channel",
        "percentunit",
        "Share of a day's transactions later reported as fraud; it comes in bursts.",
        daily("channel", FRAUD),
      ),
      table(
        "Categories with the most fraud",
        "short",
        "Transactions reported as fraud, by merchant category.",
        `SELECT m.category, sum(a.fraud_count)::float8 AS fraud, sum(a.txn_count)::float8 AS transactions ${MERCHANT_DAYS} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15`,
      ),
    ],
    "Amounts in the chosen currency": [
      graph(
        "Takings a day",
        "short",
        "Approved purchases and cash, and what was refunded.",
        `SELECT a.day::timestamp AS time, sum(a.approved_amount)::float8 AS approved, sum(a.refund_amount)::float8 AS refunded ${DAYS} ${IN_CURRENCY} GROUP BY 1 ORDER BY 1`,
      ),
      table(
        "Amount by category",
        "short",
        "Approved purchases and cash, by merchant category.",
        `SELECT m.category, sum(a.approved_amount)::float8 AS amount, sum(a.txn_count)::float8 AS transactions ${MERCHANT_DAYS} AND a.currency = '\${currency}' GROUP BY 1 ORDER BY 2 DESC`,
      ),
      table(
        "Merchants with the highest takings",
        "short",
        "Approved purchases and cash.",
        `SELECT m.name, m.category, m.country, sum(a.approved_amount)::float8 AS amount ${MERCHANT_DAYS} AND a.currency = '\${currency}' GROUP BY a.merchant_id, 1, 2, 3 ORDER BY 4 DESC LIMIT 20`,
      ),
    ],
  },
};
