-- What has been given back of a transaction? Asked before each refund; most often nothing. No month is known, so every
-- month's index of refunds is asked.
-- txn_first txn_last: from the loaded data
\set original random(:txn_first, :txn_last)
SELECT txn_id, occurred_at, amount, currency, status
FROM txn
WHERE original_txn_id = :original;
