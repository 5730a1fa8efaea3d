-- Runs as `payments status` shows them, see RunStatus.
-- $1 run ids, or null for all

SELECT run_id AS run, state, txn_rows AS rows,
       json_build_object('total', chunks_total, 'staged', chunks_staged, 'cleaned', chunks_cleaned) AS chunks,
       json_build_object('total', months_total, 'done', months_done) AS months,
       json_build_object('stage', rows_staged, 'clean', rows_cleaned, 'agg', rows_aggregated) AS "rowsDone",
       accepted, repaired, rejected,
       json_build_object('stage', stage_s, 'clean', clean_s, 'agg', agg_s) AS "busyS",
       created_at AS "createdAt", finished_at AS "finishedAt",
       round(elapsed_s::numeric, 3)::float8 AS "elapsedS",
       coalesce(round(share * txn_rows / nullif(elapsed_s, 0)), 0) AS "rowsPerS",
       round(idle_s::numeric, 3)::float8 AS "idleS",
       round(eta_s) AS "etaS"
FROM etl.run_progress
WHERE $1::text[] IS NULL OR run_id = ANY ($1)
ORDER BY first_txn_id
