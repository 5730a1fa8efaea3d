-- After a restore to an earlier time the broker may hold events of what this database no longer knows. Whoever takes an event on trust
-- has to see that it was told on another timeline.

-- The cluster, its timeline (a new one begins with each recovery and each failover) and the database (a restored dump is another one).
CREATE FUNCTION ops.timeline() RETURNS text
LANGUAGE sql STABLE
AS $$
  SELECT concat_ws('.', (SELECT system_identifier FROM pg_catalog.pg_control_system()),
                   left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8),
                   (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()));
$$;
COMMENT ON FUNCTION ops.timeline IS 'Another one after each restore and each failover';
