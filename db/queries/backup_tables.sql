-- Every table with rows of its own, largest first, but for what a dump leaves out: the heartbeats of workers.
-- month:  of a leaf of txn, null for any other table.
-- hidden: row security keeps rows from whoever asks.

SELECT n.nspname AS schema, c.relname AS table,
       to_char(m.month, 'YYYY-MM-DD') AS month,
       row_security_active(c.oid) AS hidden
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN etl.month m ON n.nspname = 'payments' AND c.relname = etl.leaf_name(m.month)
WHERE c.relkind = 'r'
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND NOT (n.nspname = 'etl' AND c.relname = 'worker')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY pg_relation_size(c.oid) DESC, 1, 2
