-- Volume per hour, card network and currency of one UTC day.
-- $1 day

SELECT hour, network, currency, sum(txn_count) AS txn_count, sum(approved_count) AS approved_count, sum(amount) AS amount
FROM payments.agg_network_hour
WHERE month = date_trunc('month', $1::date::timestamp)::date
  AND hour >= $1::date::timestamp AT TIME ZONE 'UTC'
  AND hour < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY hour, network, currency
ORDER BY hour, network, currency
