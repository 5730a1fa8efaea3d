-- Volume per card network, channel, currency and UTC hour of one month, from its leaf. In the order of the columns of
-- agg_network_hour: the agg step inserts them there, verify compares them with what stands there.
-- In the order of its key, so that a day's rows of one run lie together; grouped apart from the sort as in rollup_merchant_day.sql.
-- $1 month  :"leaf" the month's leaf

WITH network_hour AS MATERIALIZED (
  SELECT
    date_bin('1 hour', occurred_at, '2000-01-01 00:00:00+00') AS hour,
    network,
    channel,
    currency,
    count(*) AS txn_count,
    count(*) FILTER (WHERE status = 'approved') AS approved_count,
    count(*) FILTER (WHERE is_fraud) AS fraud_count,
    sum(amount) AS amount
  FROM :"leaf"
  GROUP BY 1, 2, 3, 4
)
SELECT $1::date AS month, hour, network, channel, currency, txn_count, approved_count, fraud_count, amount
FROM network_hour
ORDER BY hour, network, channel, currency
