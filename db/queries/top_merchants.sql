-- The ten merchants with the highest takings of a month in one currency.
-- $1 first day of the month  $2 currency

SELECT merchant_id, m.name, m.category, t.txn_count, t.takings
FROM (
  SELECT merchant_id, sum(txn_count) AS txn_count, sum(approved_amount - refund_amount) AS takings
  FROM payments.agg_merchant_day
  WHERE month = $1 AND currency = $2
  GROUP BY merchant_id
  ORDER BY takings DESC, merchant_id
  LIMIT 10
) t
JOIN payments.merchant m USING (merchant_id)
ORDER BY t.takings DESC, merchant_id
