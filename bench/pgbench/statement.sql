-- An account's statement: its last 50 transactions.
-- account_first account_last: from the loaded data
\set account random(:account_first, :account_last)
SELECT txn_id, occurred_at, merchant_id, amount, currency, kind, status
FROM txn
WHERE account_id = :account
ORDER BY occurred_at DESC
LIMIT 50;
