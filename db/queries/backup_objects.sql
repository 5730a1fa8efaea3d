-- What a database is made of besides rows, one line each: what is looked for after a restore.
-- $1 the names that migrations give (db/schema.sql)
-- $2 whether the dump holds large objects
-- $3 whether definitions are pretty-printed: without parentheses that PostgreSQL puts otherwise once it has read a definition back
--
-- object the line
-- ours   the platform needs it; what is not ours may lack after a restore, and is named then; null: it is only said, not compared
-- lost   why it will not come back as it was by a restore as payments_admin; null: it will
--
-- The schema and the extension amcheck are the drill's own instrument. Not-null constraints are part of their column: from 18 on
-- they stand among the constraints too. Members of an extension come with it. Lines that older manifests hold keep their form.

WITH RECURSIVE member AS (
  SELECT classid, objid, refobjid AS extension FROM pg_depend WHERE deptype = 'e'
),
untrusted AS (
  SELECT e.oid, extname
  FROM pg_extension e LEFT JOIN pg_available_extension_versions v ON v.name = extname AND v.version = extversion
  WHERE v.trusted IS NOT TRUE
),
-- What uses a member of an extension that will not be there; a default and a check are part of their table.
stranded AS (
  SELECT coalesce(a.adrelid, c.conrelid, d.objid) AS oid, min('extension ' || extname || ' will not be there') AS why
  FROM pg_depend d JOIN member m ON m.classid = d.refclassid AND m.objid = d.refobjid JOIN untrusted u ON u.oid = m.extension
  LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
  LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype = 'c'
  WHERE d.deptype = 'n' AND d.classid IN ('pg_class'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass)
  GROUP BY 1
),
space AS (
  SELECT n.oid, nspname, nspowner, nspacl, nspname = ANY ($1) AS ours
  FROM pg_namespace n
  WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', 'amcheck')
    AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
),
relation AS (
  SELECT c.*, s.nspname || '.' || c.relname AS name,
         -- Months and builds are named by functions, not by a migration.
         regexp_replace(s.nspname || '.' || c.relname, '_\d{4}_\d\d$', '') = ANY ($1) OR s.nspname = 'staging'
           OR s.nspname = 'payments' AND c.relname ~ '^txn_\d{4}_\d\d' AS ours,
         s.nspname || '.' || c.relname = ANY ($1) AS named
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
),
routine AS (
  SELECT p.oid, p.oid::regprocedure::text AS name, s.nspname || '.' || p.proname = ANY ($1) AS ours, p.proowner, p.proacl, p.prokind, l.lanpltrusted
  FROM pg_proc p JOIN space s ON s.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
),
-- Every other kind, by what PostgreSQL calls it; at least its being there.
other AS (
  SELECT i.type || ' ' || i.identity AS name, o.*
  FROM (
    SELECT 'pg_type'::regclass::oid AS classid, t.oid, typowner AS owner, CASE typtype WHEN 'b' THEN 'only a superuser may make it' END AS lost
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE (c.relkind IS NULL OR c.relkind = 'c') AND typtype <> 'm'
      AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
    UNION ALL SELECT 'pg_extension'::regclass, e.oid, extowner,
      CASE WHEN u.oid IS NOT NULL THEN 'only a superuser may install it' END
    FROM pg_extension e LEFT JOIN untrusted u ON u.oid = e.oid
    WHERE e.extname <> 'amcheck'
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner, 'only a superuser may make it' FROM pg_event_trigger
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, 'only a superuser may make it' FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner, 'its foreign-data wrapper is not for everybody' FROM pg_foreign_server
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, NULL, 'its server will not be there' FROM pg_user_mappings
    UNION ALL SELECT 'pg_publication'::regclass, p.oid, pubowner,
      CASE WHEN puballtables OR EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid) THEN 'only a superuser may make it' END
    FROM pg_publication p
    UNION ALL SELECT 'pg_publication_rel'::regclass, oid, NULL, NULL FROM pg_publication_rel
    UNION ALL SELECT 'pg_subscription'::regclass, s.oid, NULL, 'no dump holds it'
    FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid AND datname = current_database()
    UNION ALL SELECT 'pg_language'::regclass, oid, lanowner, CASE WHEN lanpltrusted THEN NULL ELSE 'only a superuser may make it' END FROM pg_language
    UNION ALL SELECT 'pg_am'::regclass, oid, NULL, 'only a superuser may make it' FROM pg_am
    UNION ALL SELECT 'pg_opclass'::regclass, oid, NULL, 'only a superuser may make it' FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, NULL, 'only a superuser may make it' FROM pg_opfamily
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, NULL, 'only a superuser may make it' FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, NULL, 'only a superuser may make it' FROM pg_ts_template
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner, NULL FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner, NULL FROM pg_ts_config
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner, NULL FROM pg_operator
    UNION ALL SELECT 'pg_collation'::regclass, oid, collowner, NULL FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner, NULL FROM pg_conversion
    UNION ALL SELECT 'pg_cast'::regclass, c.oid, NULL,
      -- Wants the ownership of one of the two types, and none of those that are restored is PostgreSQL's or an extension's.
      CASE WHEN castmethod = 'b' OR NOT EXISTS (
        SELECT FROM pg_type t WHERE t.oid IN (castsource, casttarget) AND t.oid >= 16384
          AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)
      ) THEN 'only a superuser may make it' END
    FROM pg_cast c
    UNION ALL SELECT 'pg_transform'::regclass, oid, NULL, NULL FROM pg_transform
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner, NULL FROM pg_statistic_ext
    UNION ALL SELECT 'pg_policy'::regclass, oid, NULL, NULL FROM pg_policy
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, NULL, NULL FROM pg_rewrite WHERE rulename <> '_RETURN'
    UNION ALL SELECT 'pg_trigger'::regclass, oid, NULL, NULL FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL SELECT 'pg_default_acl'::regclass, oid, NULL,
      CASE WHEN defaclrole <> to_regrole('payments_owner') THEN 'only its role may set them' END
    FROM pg_default_acl
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner,
      CASE WHEN $2 THEN NULL ELSE 'payments_backup may not read it' END
    FROM pg_largeobject_metadata
  ) o
  CROSS JOIN pg_identify_object(o.classid, o.oid, 0) i
  -- What initdb made has a lower one.
  WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.classid AND m.objid = o.oid)
    AND (i.schema IS NULL OR i.schema NOT IN ('amcheck', 'pg_toast'))
),
-- A foreign key of or to a partitioned table has copies, one a partition. No dump holds them: PostgreSQL makes them again from
-- the one that somebody made, in another order and so under other numbers. They are called as that one is.
foreign_key AS (
  SELECT oid, conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
  UNION ALL
  SELECT c.oid, k.conname FROM pg_constraint c JOIN foreign_key k ON c.conparentid = k.oid
),
owner AS (
  SELECT 'schema ' || nspname AS name, nspowner AS owner FROM space WHERE nspname <> 'public'
  UNION ALL
  SELECT name, relowner FROM relation r
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f') OR relkind = 'S'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i'))
  UNION ALL
  SELECT name, proowner FROM routine
  UNION ALL
  SELECT name, o.owner FROM other o WHERE o.owner IS NOT NULL AND lost IS NULL AND classid <> 'pg_extension'::regclass
  UNION ALL
  SELECT 'the database', datdba FROM pg_database WHERE datname = current_database()
),
-- Of a thing's owner, whoever that is, we compare what payments_owner then has.
given AS (
  SELECT r.name, r.ours, a.*, r.relowner AS owner, a.privilege_type AS privilege
  FROM relation r
  CROSS JOIN aclexplode(coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN CAST('s' AS "char") ELSE CAST('r' AS "char") END, r.relowner))) a
  WHERE r.relkind IN ('r', 'p', 'S', 'v', 'm', 'f')
  UNION ALL
  SELECT r.name || '.' || attname, r.ours, a.*, r.relowner, a.privilege_type
  FROM relation r JOIN pg_attribute c ON c.attrelid = r.oid AND NOT c.attisdropped CROSS JOIN aclexplode(c.attacl) a
  UNION ALL
  SELECT p.name, p.ours, a.*, p.proowner, NULL
  FROM routine p CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  UNION ALL
  SELECT 'schema ' || nspname, s.ours, a.*, nspowner, a.privilege_type
  FROM space s CROSS JOIN aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a WHERE nspname <> 'public'
  UNION ALL
  SELECT 'database', false, a.*, datdba, a.privilege_type
  FROM pg_database CROSS JOIN aclexplode(coalesce(datacl, acldefault('d', datdba))) a WHERE datname = current_database()
)
SELECT 'schema ' || nspname AS object, ours, NULL AS lost FROM space WHERE nspname <> 'public'
UNION ALL
SELECT CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || name
       || coalesce(' ' || pg_get_expr(relpartbound, oid), '')
       -- Of a build the key is a rule that holds every terminal's merchant: 100 kB and more.
       || CASE WHEN relkind = 'p' THEN ' partition by ' || md5(pg_get_partkeydef(oid)) ELSE '' END
       || coalesce(' with ' || reloptions::text, '')
       || CASE WHEN relkind = 'v' THEN ' ' || md5(pg_get_viewdef(oid, $3::boolean)) ELSE '' END,
       ours, CASE relkind WHEN 'f' THEN 'its server will not be there' ELSE why END
FROM relation LEFT JOIN stranded USING (oid) WHERE relkind IN ('r', 'p', 'S', 'v', 'm', 'f')
UNION ALL
SELECT 'materialized view ' || name || ' ' || md5(pg_get_viewdef(oid, $3::boolean)) || CASE WHEN relispopulated THEN '' ELSE ' without data' END, ours, NULL
FROM relation WHERE relkind = 'm'
UNION ALL
SELECT 'sequence ' || r.name || ': ' || concat_ws(' ', format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle), r.ours, NULL
FROM relation r JOIN pg_sequence ON seqrelid = r.oid
UNION ALL
SELECT 'column ' || r.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid, $3::boolean), '') || a.attidentity::text, r.ours, NULL
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 'index ' || x.name || ': ' || pg_get_indexdef(i.indexrelid, 0, $3::boolean) || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END,
       r.ours AND coalesce(parent.relname, x.relname) = ANY ($1), why
FROM pg_index i JOIN relation r ON r.oid = i.indrelid JOIN relation x ON x.oid = i.indexrelid LEFT JOIN stranded s ON s.oid = x.oid
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid LEFT JOIN pg_class parent ON parent.oid = h.inhparent
UNION ALL
SELECT 'constraint ' || r.name || ' ' || coalesce(k.conname, c.conname) || ': ' || pg_get_constraintdef(c.oid, $3::boolean),
       r.ours AND (NOT r.named OR coalesce(k.conname, c.conname) = ANY ($1)), NULL
FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid LEFT JOIN foreign_key k ON k.oid = c.oid
WHERE c.contype <> 'n'
UNION ALL
SELECT 'function ' || name || ' ' || md5(CASE WHEN prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(oid) END), ours,
       CASE WHEN NOT lanpltrusted AND prokind <> 'a' THEN 'only a superuser may make it in its language' END
FROM routine
UNION ALL
SELECT 'right ' || g.name || ': ' || who || coalesce(' ' || g.privilege, ''),
       g.ours AND (who = 'everybody' OR who LIKE 'payments\_%'), NULL
FROM given g
CROSS JOIN LATERAL (SELECT CASE g.grantee WHEN 0 THEN 'everybody' WHEN g.owner THEN 'payments_owner' ELSE g.grantee::regrole::text END AS who) w
-- An owner has it from 17 on; before, it was not there to be given.
WHERE g.privilege IS DISTINCT FROM 'MAINTAIN' OR g.grantee <> g.owner
UNION ALL
SELECT 'owner of ' || o.name || ': ' || o.owner::regrole, false, 'it will be payments_owner''s'
FROM owner o WHERE o.owner <> to_regrole('payments_owner')
UNION ALL
SELECT o.name || CASE o.classid WHEN 'pg_trigger'::regclass THEN ': ' || md5(pg_get_triggerdef(o.oid, $3::boolean)) ELSE '' END,
       coalesce(r.ours AND g.tgname = ANY ($1), false), lost
FROM other o
LEFT JOIN pg_trigger g ON o.classid = 'pg_trigger'::regclass AND g.oid = o.oid LEFT JOIN relation r ON r.oid = g.tgrelid
UNION ALL
SELECT 'rows of ' || name, NULL, 'row security hides them from payments_backup'
FROM relation WHERE relkind = 'r' AND row_security_active(oid)
UNION ALL
SELECT 'tablespace of ' || r.name || ': ' || spcname, false, 'it will be in the database''s own'
FROM relation r JOIN pg_tablespace t ON t.oid = r.reltablespace
UNION ALL
SELECT 'tablespace of the database: ' || spcname, false, 'it will be in the server''s own'
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE datname = current_database() AND spcname <> 'pg_default'
UNION ALL
SELECT 'comment on ' || i.type || ' ' || i.identity || ': ' || md5(d.description), false, o.lost
FROM pg_description d
CROSS JOIN pg_identify_object(d.classoid, d.objoid, d.objsubid) i
LEFT JOIN other o ON o.classid = d.classoid AND o.oid = d.objoid
WHERE d.objoid >= 16384 AND i.identity <> 'amcheck'
  AND NOT EXISTS (SELECT FROM member m WHERE m.classid = d.classoid AND m.objid = d.objoid)
UNION ALL
SELECT 'security label of ' || l.provider || ' on ' || i.type || ' ' || i.identity || ': ' || md5(l.label), false, NULL
FROM pg_seclabel l CROSS JOIN pg_identify_object(l.classoid, l.objoid, l.objsubid) i
UNION ALL
SELECT 'comment on the database: ' || md5(c.description), false, NULL
FROM pg_database d JOIN pg_shdescription c ON c.classoid = 'pg_database'::regclass AND c.objoid = d.oid WHERE datname = current_database()
UNION ALL
SELECT 'collation of the database: ' || datcollate || ' ' || datctype, false, NULL FROM pg_database WHERE datname = current_database()
UNION ALL
SELECT 'connection limit of the database: ' || datconnlimit, false, NULL
FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
UNION ALL
SELECT 'setting of ' || CASE s.setrole WHEN 0 THEN 'the database' ELSE s.setrole::regrole::text END || ': ' || one, false,
       CASE WHEN s.setrole = to_regrole('payments_admin') OR s.setrole = 0 THEN
         -- role is not among pg_settings.
         CASE WHEN split_part(one, '=', 1) <> 'role' AND NOT EXISTS (SELECT FROM pg_settings g WHERE lower(g.name) = lower(split_part(one, '=', 1)) AND g.context IN ('user', 'backend'))
               AND NOT coalesce(has_parameter_privilege(to_regrole('payments_admin'), split_part(one, '=', 1), 'SET'), false)
              THEN 'only a superuser may set it' END
       ELSE 'only a superuser may set it for a role' END
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND datname = current_database() CROSS JOIN unnest(s.setconfig) one
ORDER BY 1
