import { CURRENCIES } from "../lib/domain/codes.js";
import { type DashboardSpec, sql } from "./panels.js";

const HOURS = "FROM payments.agg_network_hour WHERE $__timeFilter(hour)";
const DAYS = "FROM payments.agg_merchant_day a WHERE $__timeFilter(a.day::timestamp)";
const APPROVAL = "sum(approved_count)::float8 / nullif(sum(txn_count), 0)";
const FRAUD = "sum(fraud_count)::float8 / nullif(sum(txn_count), 0)";
/** Amounts of different currencies cannot be added up. */
const IN_CURRENCY = "AND currency = '$" + "{currency}'";

export const business: DashboardSpec = {
  uid: "payments-business",
  title: "Payments - Business",
  description:
    "What was paid, from the roll-ups agg_network_hour and agg_merchant_day. Times are the transactions' own, in UTC.",
  // The default run fills 2025.
  from: "2025-01-01T00:00:00Z",
  to: "2026-01-01T00:00:00Z",
  variables: { currency: CURRENCIES },
  rows: [
    {
      title: "In the period",
      panels: [
        {
          kind: "stat",
          title: "Transactions",
          unit: "short",
          width: 6,
          description: "Accepted, whatever became of them.",
          queries: [sql(`SELECT sum(txn_count)::float8 AS transactions ${HOURS}`)],
        },
        {
          kind: "stat",
          title: "Approved",
          unit: "percentunit",
          width: 6,
          description: "Share of transactions that the issuer approved.",
          queries: [sql(`SELECT ${APPROVAL} AS approved ${HOURS}`)],
        },
        {
          kind: "stat",
          title: "Fraud",
          unit: "percentunit",
          width: 6,
          description: "Share of transactions later reported as fraud.",
          queries: [sql(`SELECT ${FRAUD} AS fraud ${HOURS}`)],
        },
        {
          kind: "stat",
          title: "Approved amount",
          unit: "short",
          width: 6,
          description: "Of purchases and cash, in the chosen currency.",
          queries: [sql(`SELECT sum(a.approved_amount)::float8 AS amount ${DAYS} ${IN_CURRENCY}`)],
        },
      ],
    },
    {
      title: "Volume",
      panels: [
        {
          kind: "graph",
          title: "Transactions a day by network",
          unit: "short",
          stacked: true,
          description: "Weekdays and seasons show; a gap is a month that is not published.",
          queries: [
            sql(
              `SELECT date_trunc('day', hour) AS time, network AS metric, sum(txn_count)::float8 AS value ${HOURS} GROUP BY 1, 2 ORDER BY 1, 2`,
            ),
          ],
        },
        {
          kind: "graph",
          title: "Transactions a day by channel",
          unit: "short",
          stacked: true,
          description: "At the counter, on the web, at a cash machine.",
          queries: [
            sql(
              `SELECT date_trunc('day', hour) AS time, channel AS metric, sum(txn_count)::float8 AS value ${HOURS} GROUP BY 1, 2 ORDER BY 1, 2`,
            ),
          ],
        },
        {
          kind: "table",
          title: "Transactions by hour of the day",
          unit: "short",
          description: "UTC; a merchant's own evening lies elsewhere.",
          queries: [
            sql(
              `SELECT extract(hour FROM hour AT TIME ZONE 'UTC')::integer AS hour_of_day, sum(txn_count)::float8 AS transactions ${HOURS} GROUP BY 1 ORDER BY 1`,
            ),
          ],
        },
        {
          kind: "table",
          title: "Transactions by currency",
          unit: "short",
          description: "Of all currencies.",
          queries: [
            sql(
              `SELECT currency, sum(txn_count)::float8 AS transactions ${HOURS} GROUP BY 1 ORDER BY 2 DESC`,
            ),
          ],
        },
      ],
    },
    {
      title: "Approval and fraud",
      panels: [
        {
          kind: "graph",
          title: "Approved by network",
          unit: "percentunit",
          max: 1,
          description: "Share of a day's transactions. A network that falls alone has trouble of its own.",
          queries: [
            sql(
              `SELECT date_trunc('day', hour) AS time, network AS metric, ${APPROVAL} AS value ${HOURS} GROUP BY 1, 2 ORDER BY 1, 2`,
            ),
          ],
        },
        {
          kind: "graph",
          title: "Fraud by channel",
          unit: "percentunit",
          description: "Share of a day's transactions later reported as fraud; it comes in bursts.",
          queries: [
            sql(
              `SELECT date_trunc('day', hour) AS time, channel AS metric, ${FRAUD} AS value ${HOURS} GROUP BY 1, 2 ORDER BY 1, 2`,
            ),
          ],
        },
        {
          kind: "table",
          title: "Categories with the most fraud",
          unit: "short",
          description: "Transactions reported as fraud, by merchant category.",
          queries: [
            sql(
              `SELECT m.category, sum(a.fraud_count)::float8 AS fraud, sum(a.txn_count)::float8 AS transactions FROM payments.agg_merchant_day a JOIN payments.merchant m USING (merchant_id) WHERE $__timeFilter(a.day::timestamp) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15`,
            ),
          ],
        },
      ],
    },
    {
      title: "Amounts in the chosen currency",
      panels: [
        {
          kind: "graph",
          title: "Takings a day",
          unit: "short",
          description: "Approved purchases and cash, and what was refunded.",
          queries: [
            sql(
              `SELECT a.day::timestamp AS time, sum(a.approved_amount)::float8 AS approved, sum(a.refund_amount)::float8 AS refunded ${DAYS} ${IN_CURRENCY} GROUP BY 1 ORDER BY 1`,
            ),
          ],
        },
        {
          kind: "table",
          title: "Amount by category",
          unit: "short",
          description: "Approved purchases and cash, by merchant category.",
          queries: [
            sql(
              `SELECT m.category, sum(a.approved_amount)::float8 AS amount, sum(a.txn_count)::float8 AS transactions FROM payments.agg_merchant_day a JOIN payments.merchant m USING (merchant_id) WHERE $__timeFilter(a.day::timestamp) AND a.currency = '\${currency}' GROUP BY 1 ORDER BY 2 DESC`,
            ),
          ],
        },
        {
          kind: "table",
          title: "Merchants with the highest takings",
          unit: "short",
          description: "Approved purchases and cash.",
          queries: [
            sql(
              `SELECT m.name, m.category, m.country, sum(a.approved_amount)::float8 AS amount FROM payments.agg_merchant_day a JOIN payments.merchant m USING (merchant_id) WHERE $__timeFilter(a.day::timestamp) AND a.currency = '\${currency}' GROUP BY a.merchant_id, 1, 2, 3 ORDER BY 4 DESC LIMIT 20`,
            ),
          ],
        },
      ],
    },
  ],
};
