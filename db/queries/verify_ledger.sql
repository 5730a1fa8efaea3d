-- Where the ledger disagrees with itself: what it says of runs and months against their months and chunks. A cancelled run
-- keeps the months that it had finished, and no others.
-- $1 run ids

WITH chunks AS (
  SELECT run_id, month, count(*) FILTER (WHERE state = 'cleaned') AS cleaned, sum(txn_rows) AS txn_rows
  FROM etl.chunk
  WHERE run_id = ANY ($1)
  GROUP BY run_id, month
),
months AS (
  SELECT m.*, coalesce(c.cleaned, 0) AS cleaned, coalesce(c.txn_rows, 0) AS chunk_rows
  FROM etl.run_month m
  LEFT JOIN chunks c USING (run_id, month)
  WHERE run_id = ANY ($1)
),
runs AS (
  SELECT r.run_id, r.state, r.txn_rows, r.chunks_total, r.months_total, r.months_done,
         count(m.month)                            AS months,
         count(*) FILTER (WHERE m.state = 'done')  AS done,
         coalesce(sum(m.chunks_total), 0)          AS month_chunks,
         coalesce(sum(m.txn_rows), 0)              AS month_rows
  FROM etl.run r
  LEFT JOIN etl.run_month m USING (run_id)
  WHERE r.run_id = ANY ($1) AND r.chunks_total IS NOT NULL  -- planned by now
  GROUP BY r.run_id
)
SELECT run_id AS run, to_char(month, 'YYYY-MM-DD') AS month, what, expected::float8, found::float8
FROM (
  -- A cancelled run has taken back its unfinished months.
  SELECT run_id, NULL::date, 'months', months_total, months FROM runs WHERE state <> 'cancelled'
  UNION ALL
  SELECT run_id, NULL, 'months done', months_done, done FROM runs
  UNION ALL
  SELECT run_id, NULL, 'months of a run that is done', months_total, done FROM runs WHERE state = 'done'
  UNION ALL
  SELECT run_id, NULL, 'chunks in its months', chunks_total, month_chunks FROM runs WHERE state <> 'cancelled'
  UNION ALL
  SELECT run_id, NULL, 'rows in its months', txn_rows, month_rows FROM runs WHERE state <> 'cancelled'
  UNION ALL
  SELECT run_id, month, 'chunks cleaned', chunks_done, cleaned FROM months
  UNION ALL
  SELECT run_id, month, 'chunks of a month that is done', chunks_total, cleaned FROM months WHERE state = 'done'
  UNION ALL
  SELECT run_id, month, 'rows in its chunks', txn_rows, chunk_rows FROM months WHERE state = 'done'
) counts (run_id, month, what, expected, found)
WHERE expected IS DISTINCT FROM found
ORDER BY 1, 2 NULLS FIRST, 3
