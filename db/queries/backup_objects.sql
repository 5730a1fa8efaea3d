-- What a database is made of besides rows, one line each: what must be the same after a restore.
-- The schema amcheck is the drill's own instrument. Not-null constraints are part of their column: from 18 on they stand among the constraints too.

WITH ours AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', 'public', 'amcheck')
),
relation AS (
  SELECT c.*, s.nspname || '.' || c.relname AS name
  FROM pg_class c JOIN ours s ON s.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT 'schema ' || nspname AS object FROM ours
UNION ALL
SELECT CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' ELSE 'table ' END || name
       || coalesce(' ' || pg_get_expr(relpartbound, oid), '')
       -- Of a build the key is a rule that holds every terminal's merchant: 100 kB and more.
       || CASE WHEN relkind = 'p' THEN ' partition by ' || md5(pg_get_partkeydef(oid)) ELSE '' END
       || coalesce(' with ' || reloptions::text, '')
       || CASE WHEN relkind = 'v' THEN ' ' || md5(pg_get_viewdef(oid)) ELSE '' END
FROM relation WHERE relkind IN ('r', 'p', 'S', 'v', 'm')
UNION ALL
SELECT 'column ' || r.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 'index ' || r.name || ': ' || pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
FROM pg_index i JOIN relation r ON r.oid = i.indexrelid
UNION ALL
SELECT 'constraint ' || r.name || ' ' || c.conname || ': ' || pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid
WHERE c.contype <> 'n'
UNION ALL
SELECT 'function ' || p.oid::regprocedure || ' ' || md5(pg_get_functiondef(p.oid))
FROM pg_proc p JOIN ours s ON s.oid = p.pronamespace
UNION ALL
SELECT 'right ' || r.name || ': ' || a.grantee::regrole || ' ' || a.privilege_type
FROM relation r
CROSS JOIN aclexplode(coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN CAST('s' AS "char") ELSE CAST('r' AS "char") END, r.relowner))) a
WHERE r.relkind IN ('r', 'p', 'S', 'v', 'm') AND a.grantee <> 0
UNION ALL
SELECT 'right ' || p.oid::regprocedure || ': ' || CASE a.grantee WHEN 0 THEN 'everybody' ELSE a.grantee::regrole::text END
FROM pg_proc p JOIN ours s ON s.oid = p.pronamespace
CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
ORDER BY 1
