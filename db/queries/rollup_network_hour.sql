-- Volume per card network, channel, currency and UTC hour of one month, from its leaf. In the order of the columns of
-- agg_network_hour: the agg step inserts them there, verify compares them with what stands there.
-- In the order of its key, so that a day's rows lie together.
-- $1 month  :"leaf" the month's leaf

SELECT
  $1::date AS month,
  date_bin('1 hour', occurred_at, '2000-01-01 00:00:00+00'),
  network,
  channel,
  currency,
  count(*),
  count(*) FILTER (WHERE status = 'approved'),
  count(*) FILTER (WHERE is_fraud),
  sum(amount)
FROM :"leaf"
GROUP BY 2, 3, 4, 5
ORDER BY 2, 3, 4, 5
