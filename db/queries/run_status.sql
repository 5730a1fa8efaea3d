-- Progress of runs, from the ledger.
-- $1 run_id, or null for all

SELECT
  r.run_id,
  r.state,
  r.txn_rows AS rows,
  coalesce(r.chunks_total, 0) AS chunks_total,
  coalesce(r.months_total, 0) AS months_total,
  r.months_done,
  r.created_at,
  r.started_at,
  r.finished_at,
  round(extract(epoch FROM coalesce(r.finished_at, clock_timestamp()) - coalesce(r.started_at, r.created_at)), 3)::float8
    AS elapsed_s,
  c.chunks_staged,
  c.chunks_cleaned,
  c.rows_staged,
  c.rows_cleaned,
  c.accepted,
  c.repaired,
  c.rejected,
  c.stage_s,
  c.clean_s,
  m.rows_aggregated,
  m.agg_s,
  round(extract(epoch FROM clock_timestamp() - greatest(r.created_at, r.started_at, c.moved_at, m.moved_at)), 3)::float8
    AS idle_s
FROM etl.run r
CROSS JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE state = 'staged')                   AS chunks_staged,
    count(*) FILTER (WHERE state = 'cleaned')                  AS chunks_cleaned,
    coalesce(sum(txn_rows), 0)::bigint                         AS rows_staged,
    coalesce(sum(accepted + rejected), 0)::bigint              AS rows_cleaned,
    coalesce(sum(accepted), 0)::bigint                         AS accepted,
    coalesce(sum(repaired), 0)::bigint                         AS repaired,
    coalesce(sum(rejected), 0)::bigint                         AS rejected,
    coalesce(sum(stage_ms), 0)::float8 / 1000                  AS stage_s,
    coalesce(sum(clean_ms), 0)::float8 / 1000                  AS clean_s,
    greatest(max(staged_at), max(cleaned_at))                  AS moved_at
  FROM etl.chunk
  WHERE run_id = r.run_id
) c
CROSS JOIN LATERAL (
  SELECT
    coalesce(sum(txn_rows) FILTER (WHERE state = 'done'), 0)::bigint AS rows_aggregated,
    coalesce(sum(agg_ms), 0)::float8 / 1000                          AS agg_s,
    max(finished_at)                                                 AS moved_at
  FROM etl.run_month
  WHERE run_id = r.run_id
) m
WHERE $1::text IS NULL OR r.run_id = $1
ORDER BY r.first_txn_id
