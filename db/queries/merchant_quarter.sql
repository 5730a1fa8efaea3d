-- A merchant's takings per day and currency over three months.
-- $1 merchant_id  $2 first day of the first month
--
-- The months are named one by one: the key is (month, merchant_id, …), and of a range of months PostgreSQL before 18 would
-- read every merchant's entries.

SELECT day, currency, txn_count, approved_amount, refund_amount, approved_amount - refund_amount AS takings
FROM payments.agg_merchant_day
WHERE merchant_id = $1
  AND month IN ($2::date, ($2::date + interval '1 month')::date, ($2::date + interval '2 months')::date)
ORDER BY day, currency
