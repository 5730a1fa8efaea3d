-- Cleaned chunks whose findings are not what the generator injected.
-- $1 run ids

SELECT run_id AS run, chunk_no AS chunk, class, 'rows of a class' AS what, expected, found
FROM (
  SELECT run_id, chunk_no, class, injected, found
  FROM etl.chunk_class
  JOIN etl.chunk c USING (run_id, chunk_no)
  WHERE run_id = ANY ($1) AND c.state = 'cleaned' AND outcome <> 'fraud' AND injected <> found
  UNION ALL
  SELECT run_id, chunk_no, 'accepted', accepted_key, accepted
  FROM etl.chunk
  WHERE run_id = ANY ($1) AND state = 'cleaned' AND accepted_key <> accepted
  UNION ALL
  SELECT run_id, chunk_no, 'accepted + rejected', txn_rows, accepted + rejected
  FROM etl.chunk
  WHERE run_id = ANY ($1) AND state = 'cleaned' AND txn_rows <> accepted + rejected
  UNION ALL
  SELECT c.run_id, c.chunk_no, 'repaired', coalesce(sum(k.found), 0)::integer, c.repaired
  FROM etl.chunk c
  LEFT JOIN etl.chunk_class k ON k.run_id = c.run_id AND k.chunk_no = c.chunk_no AND k.outcome = 'repaired'
  WHERE c.run_id = ANY ($1) AND c.state = 'cleaned'
  GROUP BY c.run_id, c.chunk_no
  HAVING coalesce(sum(k.found), 0) <> c.repaired
) findings (run_id, chunk_no, class, expected, found)
ORDER BY 1, 2, 3
