-- What is not in its place: published months that are not attached or lack an index, leaves and aggregates of no month of
-- the ledger, what is built for no unfinished month.
--
-- Tables are looked up in pg_class, which is seen as of the same moment as the ledger. to_regclass sees what is there now:
-- a month published while this runs would be called unfinished and without its tables.

WITH leaf AS (
  SELECT c.oid, c.relname AS name, i.inhparent IS NOT NULL AS attached
  FROM pg_class c
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'payments.txn'::regclass
  WHERE c.relnamespace = 'payments'::regnamespace
)
SELECT to_char(m.month, 'YYYY-MM-DD') AS month, 'its leaf is not attached to txn' AS what
FROM etl.month m
WHERE NOT EXISTS (SELECT FROM leaf WHERE name = etl.leaf_name(m.month) AND attached)
UNION ALL
SELECT to_char(m.month, 'YYYY-MM-DD'), 'its leaf lacks index ' || parent.relname
FROM etl.month m
JOIN pg_index pi ON pi.indrelid = 'payments.txn'::regclass
JOIN pg_class parent ON parent.oid = pi.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_inherits i
                  JOIN pg_index li ON li.indexrelid = i.inhrelid AND li.indisvalid
                  JOIN leaf ON leaf.oid = li.indrelid
                  WHERE i.inhparent = pi.indexrelid AND leaf.name = etl.leaf_name(m.month))
UNION ALL
SELECT NULL, name || ' is attached to txn, but is the leaf of no month of the ledger'
FROM leaf
WHERE attached AND NOT EXISTS (SELECT FROM etl.month m WHERE etl.leaf_name(m.month) = leaf.name)
UNION ALL
SELECT DISTINCT to_char(month, 'YYYY-MM-DD'), 'agg_merchant_day holds a month that no run has'
FROM payments.agg_merchant_day a
WHERE NOT EXISTS (SELECT FROM etl.run_month m WHERE m.month = a.month)
UNION ALL
SELECT DISTINCT to_char(month, 'YYYY-MM-DD'), 'agg_network_hour holds a month that no run has'
FROM payments.agg_network_hour a
WHERE NOT EXISTS (SELECT FROM etl.run_month m WHERE m.month = a.month)
UNION ALL
SELECT NULL, 'staging table ' || c.relname || ' belongs to no unfinished month'
FROM pg_class c
WHERE c.relnamespace = 'staging'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'txn_shape'
  AND NOT EXISTS (SELECT FROM etl.run_month m
                  WHERE m.state = 'open'
                    AND c.relname IN (etl.build_name(m.run_id, m.month), etl.build_name(m.run_id, m.month) || '_leaf',
                                      etl.build_name(m.run_id, m.month) || '_suspect'))
UNION ALL
SELECT to_char(m.month, 'YYYY-MM-DD'), build || suffix || ', which run ' || m.run_id || ' builds it in, is missing'
FROM etl.run_month m
CROSS JOIN etl.build_name(m.run_id, m.month) AS build
CROSS JOIN unnest(ARRAY['', '_leaf', '_suspect']) AS suffix
WHERE m.state = 'open'
  AND NOT EXISTS (SELECT FROM pg_class c
                  WHERE c.relnamespace = 'staging'::regnamespace AND c.relname = build || suffix)
ORDER BY 1, 2
