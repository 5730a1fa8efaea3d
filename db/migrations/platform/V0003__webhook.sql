-- Webhooks: what a service tells by HTTP whoever wants to know it.

-- What a service has in its schema that sends webhooks, with the rights of its role. Called by its migration.
CREATE FUNCTION ops.add_webhook_tables(schema text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $body$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY ARRAY[
    $$CREATE TABLE %1$I.webhook (
        id          uuid        PRIMARY KEY DEFAULT ops.uuid_v7(), -- its webhook-id
        type        text        NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
        data        jsonb       NOT NULL, -- what it is about, as it was at that change
        state       text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
        attempts    smallint    NOT NULL DEFAULT 0,
        last_result text, -- an HTTP status, or the code of what kept one from coming
        next_at     timestamptz NOT NULL DEFAULT now(), -- of an attempt under way: when another process may make it
        entered_at  timestamptz NOT NULL DEFAULT now(),
        expires_at  timestamptz NOT NULL DEFAULT now() + interval '4 days',
        ended_at    timestamptz,
        CHECK ((state = 'pending') = (ended_at IS NULL)))$$,
    $$CREATE INDEX webhook_due_idx ON %1$I.webhook (next_at) WHERE state = 'pending'$$,
    $$CREATE INDEX webhook_ended_idx ON %1$I.webhook (state, ended_at) WHERE state <> 'pending'$$,
    $$COMMENT ON TABLE %1$I.webhook IS 'What is told to the receiver of webhooks, and what became of it'$$,
    $$CREATE TABLE %1$I.webhook_stop (
        stopped    boolean     PRIMARY KEY DEFAULT true CHECK (stopped), -- one row
        webhook_id uuid        NOT NULL, -- that was answered with 410
        stopped_at timestamptz NOT NULL DEFAULT now())$$,
    $$COMMENT ON TABLE %1$I.webhook_stop IS 'There is a row while the receiver wants no more webhooks'$$,
    $$GRANT SELECT, INSERT, DELETE ON %1$I.webhook, %1$I.webhook_stop TO %2$I$$,
    $$GRANT UPDATE (state, attempts, last_result, next_at, expires_at, ended_at) ON %1$I.webhook TO %2$I$$,
    $$GRANT EXECUTE ON FUNCTION ops.webhook_state TO %2$I$$
  ] LOOP
    EXECUTE format(statement, schema, 'payments_' || schema);
  END LOOP;
END
$body$;
COMMENT ON FUNCTION ops.add_webhook_tables IS 'Makes webhook and webhook_stop of a service';
REVOKE ALL ON FUNCTION ops.add_webhook_tables FROM PUBLIC;

-- Of every schema that has webhooks, with the owner's rights: how many there are and how old, nothing of what they say.
CREATE FUNCTION ops.webhook_state()
RETURNS TABLE (schema text, pending bigint, oldest_age_seconds double precision, given_up bigint, stopped integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  FOR schema IN
    SELECT n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = 'webhook' AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = 'payments_owner'
    ORDER BY n.nspname
  LOOP
    RETURN QUERY EXECUTE format(
      $sql$SELECT %1$L::text, count(*),
                  greatest(coalesce(extract(epoch FROM clock_timestamp() - min(entered_at)), 0), 0)::double precision,
                  (SELECT count(*) FROM %1$I.webhook WHERE state = 'failed'), (SELECT count(*)::integer FROM %1$I.webhook_stop)
           FROM %1$I.webhook WHERE state = 'pending'$sql$, schema);
  END LOOP;
END
$$;
COMMENT ON FUNCTION ops.webhook_state IS 'How many webhooks wait, and since when, how many were given up, and whether they are stopped, by schema';
REVOKE ALL ON FUNCTION ops.webhook_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.webhook_state TO payments_exporter;
