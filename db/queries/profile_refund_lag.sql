-- Hours between refunds and the purchases that they give back, by their middle and their ninth tenth.
-- $1 first instant, $2 the instant after the last one, both of the refund

SELECT count(*)::float8 AS refunds,
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY hours), 0)::float8 AS p50,
       coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY hours), 0)::float8 AS p90
FROM (
  SELECT extract(epoch FROM r.occurred_at - o.occurred_at) / 3600 AS hours
  FROM payments.txn r
  JOIN payments.txn o ON o.txn_id = r.original_txn_id
  WHERE r.kind = 'refund' AND r.original_txn_id IS NOT NULL AND r.occurred_at >= $1 AND r.occurred_at < $2
) lag
