-- A merchant's transactions of one UTC day, in their order.
-- $1 merchant_id  $2 day

SELECT txn_id, occurred_at, terminal_id, amount, currency, kind, status, response_code
FROM payments.txn
WHERE merchant_id = $1
  AND occurred_at >= $2::date::timestamp AT TIME ZONE 'UTC'
  AND occurred_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
ORDER BY occurred_at
