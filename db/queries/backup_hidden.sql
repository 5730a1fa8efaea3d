-- What pg_dump may not read as this role, and would give up on.
-- hidden:        tables whose rows row security hides, as patterns of pg_dump
-- large_objects: whether it may read every large object there is

SELECT coalesce((SELECT json_agg(format('"%s"."%s"', replace(nspname, '"', '""'), replace(relname, '"', '""')))
                 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                 WHERE relkind = 'r' AND row_security_active(c.oid)), '[]') AS hidden,
       current_setting('lo_compat_privileges')::boolean OR NOT EXISTS (
         SELECT FROM pg_largeobject_metadata
         WHERE NOT pg_has_role(lomowner, 'USAGE')
           AND NOT EXISTS (SELECT FROM aclexplode(lomacl) WHERE privilege_type = 'SELECT' AND (grantee = 0 OR pg_has_role(grantee, 'USAGE')))
       ) AS large_objects
