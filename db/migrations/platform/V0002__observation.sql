-- What is watched of all services: the latest audit of their books, and what waits in their outboxes.

CREATE TABLE ops.audit_result (
  latest      boolean     PRIMARY KEY DEFAULT true CHECK (latest), -- one row
  finished_at timestamptz NOT NULL,
  differences bigint      NOT NULL CHECK (differences >= 0),
  quiesced    boolean     NOT NULL
);
COMMENT ON TABLE ops.audit_result IS 'What the latest payments audit found';
GRANT SELECT, INSERT, UPDATE ON ops.audit_result TO payments_loader;
GRANT SELECT ON ops.audit_result TO payments_exporter;

-- Of every schema that has an outbox, so that a new service is watched too. With the owner's rights: of events nothing is shown but
-- how many there are and how old.
CREATE FUNCTION ops.outbox_state() RETURNS TABLE (schema text, waiting_events bigint, oldest_age_seconds double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  FOR schema IN
    SELECT n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = 'outbox' AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = 'payments_owner'
    ORDER BY n.nspname
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %1$L::text, count(*), greatest(coalesce(extract(epoch FROM clock_timestamp() - min(entered_at)), 0), 0)::double precision
       FROM %1$I.outbox', schema);
  END LOOP;
END
$$;
COMMENT ON FUNCTION ops.outbox_state IS 'How many events wait to be published, and since when, by the schema of their service';
REVOKE ALL ON FUNCTION ops.outbox_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.outbox_state TO payments_exporter;
