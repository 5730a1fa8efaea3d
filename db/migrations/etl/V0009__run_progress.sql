-- How far runs have got: for `payments status` and for the exporter. Rows are generated rows. Step seconds are busy time, summed
-- over workers; elapsed_s counts from planning to the end, or to now; share is of all three steps; eta_s is at the average pace so far,
-- 0 when the run is over, null before anything is done.
CREATE VIEW etl.run_progress AS
SELECT
  r.run_id, r.state, r.txn_rows, r.first_txn_id, r.created_at, r.finished_at,
  coalesce(r.chunks_total, 0) AS chunks_total, c.chunks_staged, c.chunks_cleaned,
  coalesce(r.months_total, 0) AS months_total, r.months_done,
  c.rows_staged, c.rows_cleaned, m.rows_aggregated,
  c.accepted, c.repaired, c.rejected,
  c.stage_s, c.clean_s, m.agg_s,
  p.elapsed_s, p.share, p.idle_s,
  CASE WHEN r.state IN ('done', 'cancelled') THEN 0 WHEN p.share > 0 THEN p.elapsed_s * (1 - p.share) / p.share END AS eta_s
FROM etl.run r
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE state = 'staged')                                AS chunks_staged,
         count(*) FILTER (WHERE state = 'cleaned')                               AS chunks_cleaned,
         coalesce(sum(txn_rows), 0)::bigint                                      AS rows_staged,
         coalesce(sum(txn_rows) FILTER (WHERE state = 'cleaned'), 0)::bigint     AS rows_cleaned,
         coalesce(sum(accepted), 0)::bigint                                      AS accepted,
         coalesce(sum(repaired), 0)::bigint                                      AS repaired,
         coalesce(sum(rejected), 0)::bigint                                      AS rejected,
         coalesce(sum(stage_ms), 0)::float8 / 1000                               AS stage_s,
         coalesce(sum(clean_ms), 0)::float8 / 1000                               AS clean_s,
         greatest(max(staged_at), max(cleaned_at))                               AS moved_at
  FROM etl.chunk
  WHERE run_id = r.run_id
) c
CROSS JOIN LATERAL (
  SELECT coalesce(sum(txn_rows) FILTER (WHERE state = 'done'), 0)::bigint        AS rows_aggregated,
         coalesce(sum(agg_ms), 0)::float8 / 1000                                 AS agg_s,
         max(finished_at)                                                        AS moved_at
  FROM etl.run_month
  WHERE run_id = r.run_id
) m
CROSS JOIN LATERAL (
  SELECT extract(epoch FROM coalesce(r.finished_at, clock_timestamp()) - coalesce(r.started_at, r.created_at))::float8 AS elapsed_s,
         CASE WHEN r.state = 'done' OR r.txn_rows = 0 THEN 1
              ELSE (c.rows_staged + c.rows_cleaned + m.rows_aggregated) / (3 * r.txn_rows)::float8 END AS share,
         CASE WHEN r.state IN ('done', 'cancelled') THEN 0
              ELSE extract(epoch FROM clock_timestamp() - greatest(r.created_at, r.started_at, c.moved_at, m.moved_at)) END::float8
           AS idle_s
) p;
COMMENT ON VIEW etl.run_progress IS 'How far each run has got, and how long it will take';

GRANT SELECT ON etl.run_progress TO payments_loader, payments_exporter;
