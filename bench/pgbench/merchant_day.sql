-- A merchant's day: its transactions of one day (UTC), as for the end of business.
-- merchant_first merchant_last first_day days: from the loaded data
\set merchant random(:merchant_first, :merchant_last)
\set day random(0, :days - 1)
SELECT txn_id, occurred_at, account_id, terminal_id, amount, currency, kind, status
FROM txn
WHERE merchant_id = :merchant
  AND occurred_at >= :first_day::timestamptz + :day * interval '1 day'
  AND occurred_at < :first_day::timestamptz + (:day + 1) * interval '1 day'
ORDER BY occurred_at;
