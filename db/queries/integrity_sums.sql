-- Rows and money per month and currency in txn and in both aggregates: the three agree to the cent. (While a run adds to
-- a month, its aggregates are behind until that run has finished the month.) Grouped by leaf for integrity_counts' reason.

WITH txn AS (
  SELECT tableoid AS leaf, currency, count(*) AS rows, sum(amount) AS amount
  FROM payments.txn
  GROUP BY tableoid, currency
),
by_merchant AS (
  SELECT month, currency, sum(txn_count) AS rows, sum(amount) AS amount
  FROM payments.agg_merchant_day
  GROUP BY month, currency
),
by_network AS (
  SELECT month, currency, sum(txn_count) AS rows, sum(amount) AS amount
  FROM payments.agg_network_hour
  GROUP BY month, currency
),
aggregated AS (
  SELECT to_regclass('payments.' || etl.leaf_name(month))::oid AS leaf, currency,
         m.rows AS merchant_rows, n.rows AS network_rows, m.amount AS merchant_amount, n.amount AS network_amount
  FROM by_merchant m
  FULL JOIN by_network n USING (month, currency)
)
SELECT leaf::regclass AS leaf, currency, t.rows AS txn_rows, merchant_rows, network_rows,
       t.amount AS txn_amount, merchant_amount, network_amount
FROM txn t
FULL JOIN aggregated a USING (leaf, currency)
ORDER BY leaf::regclass::text, currency
