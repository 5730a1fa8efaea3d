-- Takings per merchant and UTC day of one month, from its leaf. In the order of the columns of
-- agg_merchant_day: the agg step inserts them there, verify compares them with what stands there.
-- $1 month  :"leaf" the month's leaf

SELECT
  $1::date AS month,
  (occurred_at AT TIME ZONE 'UTC')::date,
  merchant_id,
  currency,
  count(*),
  count(*) FILTER (WHERE status = 'approved'),
  count(*) FILTER (WHERE kind = 'refund'),
  count(*) FILTER (WHERE is_fraud),
  sum(amount),
  coalesce(sum(amount) FILTER (WHERE status = 'approved' AND kind <> 'refund'), 0),
  coalesce(sum(amount) FILTER (WHERE status = 'approved' AND kind = 'refund'), 0)
FROM :"leaf"
GROUP BY 2, 3, 4
