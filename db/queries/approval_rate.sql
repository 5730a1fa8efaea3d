-- Share of approved transactions per UTC day of a month.
-- $1 first day of the month

SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(txn_count) AS txn_count,
       round(sum(approved_count) / sum(txn_count), 4) AS approval_rate
FROM payments.agg_network_hour
WHERE month = $1
GROUP BY day
ORDER BY day
