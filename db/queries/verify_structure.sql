-- What is left lying about: published months that are not attached or lack an index, staging tables of no staged chunk.

SELECT to_char(m.month, 'YYYY-MM-DD') AS month, 'its leaf is not attached to txn' AS what
FROM etl.month m
WHERE m.state = 'published'
  AND NOT EXISTS (SELECT FROM pg_inherits i
                  WHERE i.inhparent = 'payments.txn'::regclass
                    AND i.inhrelid = to_regclass('payments.' || etl.leaf_name(m.month)))
UNION ALL
SELECT to_char(m.month, 'YYYY-MM-DD'), 'its leaf lacks index ' || parent.relname
FROM etl.month m
JOIN pg_index pi ON pi.indrelid = 'payments.txn'::regclass
JOIN pg_class parent ON parent.oid = pi.indexrelid
WHERE m.state = 'published'
  AND NOT EXISTS (SELECT FROM pg_inherits i
                  JOIN pg_index leaf ON leaf.indexrelid = i.inhrelid AND leaf.indisvalid
                  WHERE i.inhparent = pi.indexrelid
                    AND leaf.indrelid = to_regclass('payments.' || etl.leaf_name(m.month)))
UNION ALL
SELECT NULL, 'staging table ' || c.relname || ' belongs to no staged chunk'
FROM pg_class c
WHERE c.relnamespace = 'staging'::regnamespace AND c.relkind = 'r' AND c.relname <> 'txn_shape'
  AND NOT EXISTS (SELECT FROM etl.chunk k
                  WHERE k.state = 'staged' AND c.relname = 'txn_' || k.run_id || '_' || k.chunk_no)
ORDER BY 1, 2
