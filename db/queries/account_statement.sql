-- An account's last 50 transactions, newest first; the next page begins after the last row of this one.
-- $1 account_id  $2 before: 'infinity', or occurred_at of the row before  $3 its txn_id, or the largest bigint
--
-- The row comparison alone would do, but partitions are chosen by plain comparisons only.

SELECT txn_id, occurred_at, merchant_id, amount, currency, kind, status, response_code
FROM payments.txn
WHERE account_id = $1 AND occurred_at <= $2 AND (occurred_at, txn_id) < ($2, $3)
ORDER BY occurred_at DESC, txn_id DESC
LIMIT 50
