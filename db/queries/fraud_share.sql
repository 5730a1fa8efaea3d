-- Share of fraudulent transactions per merchant category in a month, highest first.
-- $1 first day of the month

SELECT m.category, sum(a.txn_count) AS txn_count, sum(a.fraud_count) AS fraud_count,
       round(sum(a.fraud_count) / sum(a.txn_count), 5) AS fraud_share
FROM payments.agg_merchant_day a
JOIN payments.merchant m USING (merchant_id)
WHERE a.month = $1
GROUP BY m.category
ORDER BY fraud_share DESC, m.category
