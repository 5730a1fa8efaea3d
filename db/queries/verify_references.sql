-- Rows of one leaf that refer to nothing, by what is missing.
-- :"leaf" the month's leaf

SELECT
  count(*) FILTER (WHERE a.account_id IS NULL)                                AS account,
  count(*) FILTER (WHERE m.merchant_id IS NULL)                               AS merchant,
  count(*) FILTER (WHERE tm.terminal_id IS NULL)                              AS terminal,
  count(*) FILTER (WHERE tm.merchant_id <> t.merchant_id)                     AS terminal_of_another_merchant,
  count(*) FILTER (WHERE t.original_txn_id IS NOT NULL AND o.txn_id IS NULL)  AS refunded_purchase
FROM :"leaf" t
LEFT JOIN payments.account a ON a.account_id = t.account_id
LEFT JOIN payments.merchant m ON m.merchant_id = t.merchant_id
LEFT JOIN payments.terminal tm ON tm.terminal_id = t.terminal_id
-- A refund is made within its purchase's chunk, so within its month.
LEFT JOIN :"leaf" o ON o.txn_id = t.original_txn_id
