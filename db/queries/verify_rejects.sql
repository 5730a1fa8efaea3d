-- Chunks and reasons for which txn_reject does not hold what clean counted; rejects of no run are named whatever is asked.
-- $1 run ids

SELECT run_id AS run, chunk_no AS chunk, class, 'rows in txn_reject' AS what,
       coalesce(k.found, 0) AS expected, coalesce(r.rows, 0) AS found
FROM (
  SELECT run_id, chunk_no, class, found FROM etl.chunk_class
  WHERE run_id = ANY ($1) AND outcome = 'rejected' AND found > 0
) k
FULL JOIN (
  SELECT run_id, chunk_no, reason AS class, count(*)::integer AS rows FROM payments.txn_reject
  WHERE run_id = ANY ($1) OR run_id NOT IN (SELECT run_id FROM etl.run) GROUP BY 1, 2, 3
) r USING (run_id, chunk_no, class)
WHERE k.found IS DISTINCT FROM r.rows
ORDER BY 1, 2, 3
