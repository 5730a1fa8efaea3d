-- Rows that a data lake was filled with, by their answer key, against what ingest knows of them. No rows is the proof.
-- $1 the run, traffic.run.traffic_id
-- Result: what, expected, found

WITH key AS (
  -- Rows that tell the same are one body, whichever of them came first.
  SELECT same_as, min(outcomes) AS outcomes, array_agg(source_key) AS source_keys, count(*) AS rows
  FROM traffic.audit_lake_row
  WHERE traffic_id = $1::bigint
  GROUP BY same_as
), found AS (
  SELECT k.same_as, k.outcomes AS expected, k.rows, count(DISTINCT e.body_id) AS bodies,
         array_agg(CASE WHEN e.status = 'UNPROCESSED' THEN e.status ELSE concat_ws(' ', e.status, e.amount_minor, e.currency) END ORDER BY e.place)
           FILTER (WHERE e.id IS NOT NULL) AS outcomes
  FROM key k
  LEFT JOIN LATERAL unnest(k.source_keys) AS told (source_key) ON true
  LEFT JOIN ingest.audit_event e ON e.source = 'lake' AND e.source_key = told.source_key
  GROUP BY k.same_as, k.outcomes, k.rows
)
SELECT 'row ' || same_as || CASE WHEN rows > 1 THEN ' and ' || rows - 1 || ' that tell the same' ELSE '' END AS what,
       array_to_string(expected, ', ') AS expected,
       CASE WHEN bodies > 1 THEN bodies || ' bodies: ' ELSE '' END || coalesce(array_to_string(outcomes, ', '), 'nothing') AS found
FROM found
WHERE bodies <> 1 OR outcomes IS DISTINCT FROM expected
ORDER BY what
