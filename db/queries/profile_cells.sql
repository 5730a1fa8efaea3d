-- What payments profile makes its shapes of: counts and sums of published rows, in one pass over them. Two kinds of rows:
-- "by" = 'cell', by category, channel, kind, status, country, currency and first digit; "by" = 'hour', by the merchant's country and the UTC hour of
-- the week (0: Monday 00:00).
-- $1 first instant, $2 the instant after the last one

WITH seen AS (
  SELECT m.category, t.channel, t.kind, t.status, a.country <> m.country AS abroad, t.currency,
         -- Of 0.05 it is 5. Amounts are above zero.
         left(ltrim(t.amount::text, '0.'), 1)::int AS digit,
         m.country,
         (extract(isodow FROM t.occurred_at AT TIME ZONE 'UTC')::int - 1) * 24
           + extract(hour FROM t.occurred_at AT TIME ZONE 'UTC')::int AS hour,
         t.amount, t.is_fraud
  FROM payments.txn t
  JOIN payments.merchant m USING (merchant_id)
  JOIN payments.account a USING (account_id)
  WHERE t.occurred_at >= $1 AND t.occurred_at < $2
)
SELECT CASE WHEN grouping(hour) = 0 THEN 'hour' ELSE 'cell' END AS "by",
       category, channel, kind, status, abroad, currency, digit, country, hour,
       count(*)::float8 AS rows, sum(amount)::float8 AS amount,
       coalesce(sum(amount) FILTER (WHERE is_fraud), 0)::float8 AS fraud_amount, count(*) FILTER (WHERE is_fraud)::float8 AS fraud
FROM seen
GROUP BY GROUPING SETS ((category, channel, kind, status, abroad, currency, digit), (country, hour))
