-- A run's rows of one month in the order of their time, as payments audit-leak looks at them.
-- $1 its first txn_id  $2 the one after its last  :"leaf" the month's leaf

SELECT extract(epoch FROM occurred_at)::float8 * 1000 AS "timeMs", account_id AS account, merchant_id AS merchant,
       amount::float8 AS amount, currency, kind, channel, network, status, response_code AS response, is_fraud AS fraud
FROM :"leaf"
WHERE txn_id >= $1 AND txn_id < $2
ORDER BY occurred_at, txn_id
