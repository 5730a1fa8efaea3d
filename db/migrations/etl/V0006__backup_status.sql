-- A clock that was ahead leaves times that are still to come: they are no "latest", and their age is negative. The view counts
-- what has ended until now, give or take what two clocks may differ by, and says how far ahead the rest is.
CREATE OR REPLACE VIEW ops.backup_status AS
WITH backup AS (SELECT * FROM ops.backup WHERE finished_at <= now() + interval '5 minutes'),
     drill AS (SELECT * FROM ops.restore_drill WHERE finished_at <= now() + interval '5 minutes')
SELECT
  extract(epoch FROM now() - max(b.finished_at) FILTER (WHERE b.kind = 'dump' AND b.state = 'completed'))::float8 AS dump_age_s,
  extract(epoch FROM now() - max(b.finished_at) FILTER (WHERE b.kind = 'base' AND b.state = 'completed'))::float8 AS base_age_s,
  (array_agg(b.bytes ORDER BY b.finished_at DESC) FILTER (WHERE b.kind = 'dump' AND b.state = 'completed'))[1] AS dump_bytes,
  (array_agg(extract(epoch FROM b.finished_at - b.started_at) ORDER BY b.finished_at DESC)
     FILTER (WHERE b.kind = 'dump' AND b.state = 'completed'))[1]::float8 AS dump_took_s,
  ((array_agg(b.state ORDER BY b.finished_at DESC))[1] = 'completed')::integer AS last_ok,
  count(*) FILTER (WHERE b.state = 'failed') AS failed_total,
  (SELECT extract(epoch FROM now() - max(finished_at))::float8 FROM drill WHERE state = 'passed') AS verified_age_s,
  (SELECT (state = 'passed')::integer FROM drill ORDER BY finished_at DESC LIMIT 1) AS last_drill_ok,
  (SELECT restore_ms / 1000.0 FROM drill WHERE state = 'passed' ORDER BY finished_at DESC LIMIT 1)::float8 AS restore_took_s,
  (SELECT extract(epoch FROM now() - last_archived_time)::float8 FROM pg_stat_archiver) AS wal_archived_age_s,
  (SELECT failed_count FROM pg_stat_archiver) AS wal_archive_failed_total,
  (SELECT greatest(0, extract(epoch FROM max(finished_at) - now()))::float8
   FROM (SELECT finished_at FROM ops.backup UNION ALL SELECT finished_at FROM ops.restore_drill) times) AS ahead_s
FROM backup b;
