-- The history of backups and of the drills that proved them. Written by payments_backup, read by the exporter. The backups
-- themselves say all that a restore needs: what stands here is for people and alerts, and may be lost.

CREATE TABLE ops.backup (
  backup_id   text        PRIMARY KEY,
  kind        text        NOT NULL CHECK (kind IN ('dump', 'base')),
  state       text        NOT NULL CHECK (state IN ('completed', 'failed')),
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  bytes       bigint      CHECK (bytes >= 0),
  row_count   bigint      CHECK (row_count >= 0),
  failure     text,
  CHECK ((state = 'failed') = (failure IS NOT NULL))
);
COMMENT ON TABLE ops.backup IS 'Each backup that ended; one that was killed leaves no row and no backup';
COMMENT ON COLUMN ops.backup.kind IS 'dump: one database, restorable table by table; base: the whole cluster, for a point in time';
COMMENT ON COLUMN ops.backup.row_count IS 'In all tables of a dump';

CREATE TABLE ops.restore_drill (
  drill_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  backup_id   text        NOT NULL,
  place       text        NOT NULL CHECK (place IN ('database', 'cluster')),
  state       text        NOT NULL CHECK (state IN ('passed', 'failed')),
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  restore_ms  integer,
  verify_ms   integer,
  differences integer     NOT NULL DEFAULT 0,
  failure     text,
  CHECK ((state = 'failed') = (failure IS NOT NULL))
);
COMMENT ON TABLE ops.restore_drill IS 'Each backup that was restored to see whether it can be';
COMMENT ON COLUMN ops.restore_drill.place IS 'A scratch database of the same server, or a server of its own';
COMMENT ON COLUMN ops.restore_drill.restore_ms IS 'The recovery time: from nothing to a database with all its rows and indexes';

GRANT USAGE ON SCHEMA ops TO payments_backup;
GRANT SELECT ON ops.backup, ops.restore_drill TO payments_loader, payments_exporter;
GRANT INSERT ON ops.backup TO payments_backup;
GRANT INSERT (backup_id, place, state, started_at, finished_at, restore_ms, verify_ms, differences, failure)
  ON ops.restore_drill TO payments_backup;

-- One row, for the exporter; null where there never was one.
CREATE VIEW ops.backup_status AS
SELECT
  extract(epoch FROM now() - max(b.finished_at) FILTER (WHERE b.kind = 'dump' AND b.state = 'completed'))::float8 AS dump_age_s,
  extract(epoch FROM now() - max(b.finished_at) FILTER (WHERE b.kind = 'base' AND b.state = 'completed'))::float8 AS base_age_s,
  (array_agg(b.bytes ORDER BY b.finished_at DESC) FILTER (WHERE b.kind = 'dump' AND b.state = 'completed'))[1] AS dump_bytes,
  (array_agg(extract(epoch FROM b.finished_at - b.started_at) ORDER BY b.finished_at DESC)
     FILTER (WHERE b.kind = 'dump' AND b.state = 'completed'))[1]::float8 AS dump_took_s,
  ((array_agg(b.state ORDER BY b.finished_at DESC))[1] = 'completed')::integer AS last_ok,
  count(*) FILTER (WHERE b.state = 'failed') AS failed_total,
  (SELECT extract(epoch FROM now() - max(finished_at))::float8 FROM ops.restore_drill WHERE state = 'passed') AS verified_age_s,
  (SELECT (state = 'passed')::integer FROM ops.restore_drill ORDER BY finished_at DESC LIMIT 1) AS last_drill_ok,
  (SELECT restore_ms / 1000.0 FROM ops.restore_drill WHERE state = 'passed' ORDER BY finished_at DESC LIMIT 1)::float8
    AS restore_took_s,
  (SELECT extract(epoch FROM now() - last_archived_time)::float8 FROM pg_stat_archiver) AS wal_archived_age_s,
  (SELECT failed_count FROM pg_stat_archiver) AS wal_archive_failed_total
FROM ops.backup b;
COMMENT ON VIEW ops.backup_status IS 'Age, size and result of the latest backups and drill, and how archiving gets on';
GRANT SELECT ON ops.backup_status TO payments_loader, payments_exporter;

-- While a dump is read no month may be begun, published, swapped or cancelled: pg_dump looks some of the catalog up outside its
-- snapshot, and its parallel workers give up when somebody queues for a table that they are about to read. Whoever does such a
-- thing locks etl.month or a row of it first, so this holds them back there. Loading goes on. Until the end of the transaction.
CREATE FUNCTION etl.hold_publishing() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ BEGIN LOCK TABLE etl.month IN EXCLUSIVE MODE; END $$;
REVOKE EXECUTE ON FUNCTION etl.hold_publishing() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.hold_publishing(), etl.leaf_name(date) TO payments_backup;
