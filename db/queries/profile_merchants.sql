-- Transactions of each merchant that had any, the most popular first, from the roll-up.
-- $1 first day, $2 the day after the last one

SELECT sum(txn_count)::float8 AS rows
FROM payments.agg_merchant_day
WHERE day >= $1 AND day < $2
GROUP BY merchant_id
ORDER BY 1 DESC
