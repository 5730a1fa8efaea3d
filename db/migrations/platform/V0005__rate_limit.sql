-- What a service that limits its callers has in its schema. As npm rate-limiter-flexible wants it, but for expire, a bigint there: ms
-- since 1970, which its JavaScript computes with.

-- A request counts before it is taken, on a row that all requests of its caller change: its commit waits for no disk, and a crash
-- may forget the latest counts.
CREATE FUNCTION ops.commit_without_waiting() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  SET LOCAL synchronous_commit = off;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION ops.commit_without_waiting IS 'Has a transaction that changes the table commit without waiting for the disk';

CREATE FUNCTION ops.add_rate_limit(schema text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $body$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY ARRAY[
    $$CREATE TABLE %1$I.rate_limit (
        key    varchar(255)     PRIMARY KEY,
        points integer          NOT NULL DEFAULT 0,
        expire double precision) WITH (fillfactor = 50)$$,
    $$COMMENT ON TABLE %1$I.rate_limit IS 'What each caller has used of its limits in the minute under way'$$,
    $$CREATE TRIGGER rate_limit_unhurried BEFORE INSERT OR UPDATE ON %1$I.rate_limit
        FOR EACH STATEMENT EXECUTE FUNCTION ops.commit_without_waiting()$$,
    $$GRANT SELECT, INSERT, UPDATE, DELETE ON %1$I.rate_limit TO %2$I$$
  ] LOOP
    EXECUTE format(statement, schema, 'payments_' || schema);
  END LOOP;
END
$body$;
COMMENT ON FUNCTION ops.add_rate_limit IS 'Makes the table rate_limit of a service';
REVOKE ALL ON FUNCTION ops.add_rate_limit FROM PUBLIC;
