-- Whether somebody has given a leaf what txn has not, so that another leaf in its place would lack it.
-- $1 the leaf, by name

SELECT (c.reltablespace, c.relpersistence, c.relreplident, c.relowner) IS DISTINCT FROM
         (t.reltablespace, t.relpersistence, t.relreplident, t.relowner)
       OR c.reloptions IS NOT NULL OR c.relrowsecurity
       OR EXISTS (SELECT FROM aclexplode(c.relacl) g
                  WHERE g.grantee <> c.relowner AND (g.grantee, g.privilege_type) NOT IN (
                    ('payments_loader'::regrole, 'SELECT'), ('payments_loader'::regrole, 'INSERT'), ('payments_reader'::regrole, 'SELECT')))
       OR EXISTS (SELECT FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND (a.attacl IS NOT NULL OR a.attoptions IS NOT NULL OR a.attstattarget >= 0))
       OR EXISTS (SELECT FROM pg_index i
                  WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid))
       OR EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype IN ('c', 'f') AND o.coninhcount = 0)
       OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgparentid = 0)
       OR EXISTS (SELECT FROM pg_depend d
                  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                    AND d.classid IN ('pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_statistic_ext'::regclass,
                                      'pg_publication_rel'::regclass))
       OR EXISTS (SELECT FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid) AS own
FROM pg_class c, pg_class t
WHERE c.oid = to_regclass($1) AND t.oid = 'payments.txn'::regclass
