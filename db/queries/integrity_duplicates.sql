-- Ids that txn holds more than once, in whatever months: none. The primary key cannot promise it, since it must hold the
-- partition key too.

SELECT txn_id, count(*) AS rows, min(occurred_at) AS first, max(occurred_at) AS last
FROM payments.txn
GROUP BY txn_id
HAVING count(*) > 1
ORDER BY txn_id
