-- What belongs to the database as a whole and is not in its dump.
-- extensions: those that only a superuser may install.

SELECT current_setting('server_version') AS server,
       current_setting('server_version_num')::integer AS "serverVersionNum",
       pg_current_wal_lsn()::text AS lsn,
       pg_database_size(oid) AS "databaseBytes",
       datcollate AS collate,
       datctype AS ctype,
       datconnlimit AS "connectionLimit",
       shobj_description(oid, 'pg_database') AS comment,
       coalesce((SELECT to_json(setconfig) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0), '[]') AS settings,
       coalesce((SELECT json_agg(json_build_object('role', rolname, 'settings', setconfig) ORDER BY rolname)
                 FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid), '[]') AS "roleSettings",
       coalesce((SELECT json_agg(json_build_object('role', CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee) END,
                                                   'privilege', privilege_type, 'grantable', is_grantable)
                                 ORDER BY pg_get_userbyid(grantee), privilege_type)
                 FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee <> datdba), '[]') AS grants,
       coalesce((SELECT json_agg(json_build_object('name', extname, 'schema', nspname) ORDER BY e.oid)
                 FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
                 LEFT JOIN pg_available_extension_versions v ON v.name = extname AND v.version = extversion
                 WHERE v.trusted IS NOT TRUE), '[]') AS extensions
FROM pg_database d
WHERE datname = current_database()
