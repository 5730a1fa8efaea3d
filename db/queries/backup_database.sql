-- What belongs to the database as a whole and is not in its dump.

SELECT current_setting('server_version') AS server,
       current_setting('server_version_num')::integer AS "serverVersionNum",
       pg_current_wal_lsn()::text AS lsn,
       pg_database_size(oid) AS "databaseBytes",
       (SELECT coalesce(max(version), 0) FROM ops.migration) AS "schemaVersion",
       datcollate AS collate,
       datctype AS ctype,
       coalesce((SELECT to_json(setconfig) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0), '[]') AS settings,
       coalesce((SELECT json_agg(json_build_object('role', CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END, 'privilege', privilege_type)
                                 ORDER BY grantee::regrole::text, privilege_type)
                 FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee <> datdba), '[]') AS grants
FROM pg_database d
WHERE datname = current_database()
