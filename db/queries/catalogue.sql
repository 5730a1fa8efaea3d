-- What our schemas are made of, an object a line, in words that are the same on PostgreSQL 15 to 18: what migrations make, and
-- what somebody has changed or added by hand. db/catalogue.txt is its result for a freshly migrated database.
--
-- Left out is what a DBA may choose (storage, statistics, comments, tablespaces) and what runs and services make: builds, and the
-- months of partitioned tables (leaves) but for what they have and their table has not. No object of ours is named in a way that fails if it is gone. To be run with
-- search_path = pg_catalog, so that names are given in full.
-- Result: kind, part_of (the table, view or function it belongs to, or ''), name, definition

WITH ours AS (
  SELECT oid, nspname::text AS schema, nspowner FROM pg_namespace WHERE nspname IN ('payments', 'staging', 'etl', 'ops', 'wallet', 'saga', 'payouts', 'campaigns', 'collector', 'traffic', 'reports', 'monitor', 'reporter', 'ingest')
),
relation AS (
  SELECT c.oid, c.relkind AS kind, c.relowner AS owner, c.relacl AS acl, s.schema || '.' || c.relname AS name,
         coalesce(i.inhparent = to_regclass('payments.txn')
                  OR s.schema || '.' || c.relname ~ ('^' || i.inhparent::regclass || '_\d{4}_\d{2}$'), false) AS is_leaf,
         i.inhparent AS parent,
         concat_ws(', ',
                   CASE WHEN c.relkind = 'p' THEN 'partitioned by ' || pg_get_partkeydef(c.oid) END,
                   CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END,
                   CASE WHEN c.relrowsecurity THEN 'row security' END,
                   CASE WHEN c.relowner <> coalesce(to_regrole('payments_owner'), 0) THEN 'of ' || c.relowner::regrole END) AS nature
  FROM pg_class c
  JOIN ours s ON s.oid = c.relnamespace
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relkind IN ('r', 'p', 'f')
  WHERE (s.schema <> 'staging' OR c.relname = 'txn_shape')
    -- What belongs to an extension is the extension's, an identity's sequence its column's.
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                      AND d.deptype IN ('e', 'i'))
),
-- Tables and leaves; what belongs to a leaf is reported as a part of its table.
table_ AS (
  SELECT *, CASE WHEN is_leaf THEN parent::regclass::text ELSE name END AS part_of FROM relation WHERE kind IN ('r', 'p', 'f')
),
routine AS (
  SELECT p.*, p.oid::regprocedure::text AS name
  FROM pg_proc p JOIN ours s ON s.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
),
catalogue AS (
  SELECT 'schema' AS kind, '' AS part_of, schema AS name, '' AS definition FROM ours
  UNION ALL
  SELECT CASE kind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                   ELSE 'table' END,
         '', name,
         -- From 16 on a view of one table names its columns without the table.
         nature || CASE WHEN kind = 'v' THEN md5(regexp_replace(pg_get_viewdef(oid), '\m[a-z_]+\.|\s+|[()]', '', 'g')) ELSE '' END
  FROM relation
  WHERE kind IN ('r', 'p', 'f', 'v', 'm', 'S') AND NOT is_leaf AND name !~ '^payments\.txn_\d{4}_\d{2}$'
  UNION ALL
  SELECT 'partition', CASE WHEN is_leaf THEN part_of ELSE 'payments.txn' END, name,
         concat_ws(', ', CASE WHEN NOT is_leaf THEN 'not attached to txn'
                              WHEN name !~ '_\d{4}_\d{2}$' THEN 'attached to txn, but of no month' END,
                   nullif(nature, ''))
  FROM table_
  WHERE (is_leaf OR name ~ '^payments\.txn_\d{4}_\d{2}$')
    AND NOT (is_leaf AND name ~ '_\d{4}_\d{2}$' AND nature = '')
  UNION ALL
  SELECT 'column', t.part_of, t.name || '.' || a.attname,
         format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
         || CASE WHEN a.attgenerated <> '' THEN ' generated' WHEN a.attidentity <> '' THEN ' identity' ELSE '' END
         || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
         || CASE WHEN a.attcollation NOT IN (0, 'pg_catalog.default'::regcollation)
                 THEN ' collate ' || a.attcollation::regcollation ELSE '' END
  FROM table_ t
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_attribute p ON p.attrelid = t.parent AND p.attname = a.attname
  -- Columns of a leaf are those of txn, or PostgreSQL would not have attached it; it may be stricter.
  WHERE NOT t.is_leaf OR a.attnotnull AND NOT p.attnotnull
  UNION ALL
  SELECT CASE WHEN i.indisunique THEN 'unique index' ELSE 'index' END, t.part_of, t.name || '.' || x.relname,
         regexp_replace(pg_get_indexdef(i.indexrelid), ' WITH \([^)]*\)', '')
         || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN table_ t ON t.oid = i.indrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
    AND NOT (t.is_leaf AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid))
  UNION ALL
  -- Not-null constraints are part of their column: from 18 on they stand here too.
  SELECT 'constraint', t.part_of, t.name || '.' || c.conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c
  JOIN table_ t ON t.oid = c.conrelid
  WHERE c.contype NOT IN ('n', 't') AND NOT (t.is_leaf AND (c.conparentid <> 0 OR c.coninhcount > 0))
    -- A foreign key to a partitioned table has a copy for each month that there is.
    AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)
  UNION ALL
  -- Without parentheses that PostgreSQL puts otherwise once it has read a condition back, as from a dump.
  SELECT 'trigger', t.part_of, t.name || '.' || g.tgname, pg_get_triggerdef(g.oid, true)
  FROM pg_trigger g
  JOIN table_ t ON t.oid = g.tgrelid
  WHERE NOT g.tgisinternal AND g.tgparentid = 0
  UNION ALL
  SELECT 'rule', t.part_of, t.name || '.' || r.rulename, pg_get_ruledef(r.oid)
  FROM pg_rewrite r
  JOIN table_ t ON t.oid = r.ev_class
  UNION ALL
  SELECT 'function', '', name,
         concat_ws(' ', 'returns', prorettype::regtype, (SELECT lanname FROM pg_language WHERE oid = prolang), provolatile,
                   CASE WHEN prosecdef THEN 'security definer' END, proconfig::text,
                   md5(coalesce(pg_get_function_sqlbody(oid), prosrc)),
                   CASE WHEN proowner <> coalesce(to_regrole('payments_owner'), 0) THEN 'of ' || proowner::regrole END)
  FROM routine
  UNION ALL
  SELECT 'right', granted.part_of,
         granted.on_what || ': ' || CASE grantee WHEN 0 THEN 'everybody' ELSE grantee::regrole::text END || ' ' || privilege_type, ''
  FROM (
    SELECT '' AS part_of, schema AS on_what, nspowner AS owner, nspacl AS acl FROM ours JOIN pg_namespace USING (oid, nspowner)
    UNION ALL
    SELECT name, name, owner, acl FROM relation WHERE NOT is_leaf AND kind IN ('r', 'p', 'f', 'v', 'm')
    UNION ALL
    SELECT t.name, t.name || '.' || a.attname, t.owner, a.attacl
    FROM table_ t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
    WHERE NOT t.is_leaf
    UNION ALL
    SELECT name, name, proowner, coalesce(proacl, acldefault('f', proowner)) FROM routine
  ) granted
  CROSS JOIN aclexplode(granted.acl)
  WHERE grantee <> granted.owner
)
SELECT kind, part_of, name, definition
FROM catalogue
ORDER BY kind COLLATE "C", name COLLATE "C", definition COLLATE "C"
