-- Takings per merchant and UTC day of one month, from its leaf. In the order of the columns of
-- agg_merchant_day: the agg step inserts them there, verify compares them with what stands there.
-- In the order of its key, so that a report on a month reads 640 pages instead of 40,000, and its index is a quarter smaller. That is so
-- of a month of one run: a later one writes the groups that it adds to anew, in its own order at the end of the table, until heal.
-- Grouped apart from the sort: the planner takes every row for a group of its own, and seeing both it would sort the rows
-- instead of the groups, of which there are a seventh.
-- Adding up numerics is what costs, so each amount goes into one of three sums, and they are put together per group.
-- $1 month  :"leaf" the month's leaf

WITH merchant_day AS MATERIALIZED (
  SELECT
    date_bin('1 day', occurred_at, '2000-01-01 00:00:00+00') AS day,
    merchant_id,
    currency,
    count(*) AS txn_count,
    count(*) FILTER (WHERE status = 'approved') AS approved_count,
    count(*) FILTER (WHERE kind = 'refund') AS refund_count,
    count(*) FILTER (WHERE is_fraud) AS fraud_count,
    coalesce(sum(amount) FILTER (WHERE status <> 'approved'), 0) AS not_approved_amount,
    coalesce(sum(amount) FILTER (WHERE status = 'approved' AND kind <> 'refund'), 0) AS approved_amount,
    coalesce(sum(amount) FILTER (WHERE status = 'approved' AND kind = 'refund'), 0) AS refund_amount
  FROM :"leaf"
  GROUP BY 1, 2, 3
)
SELECT
  $1::date AS month,
  (day AT TIME ZONE 'UTC')::date,
  merchant_id,
  currency,
  txn_count,
  approved_count,
  refund_count,
  fraud_count,
  not_approved_amount + approved_amount + refund_amount,
  approved_amount,
  refund_amount
FROM merchant_day
ORDER BY merchant_id, 2, currency
