-- What all services build on: ids that order by time, partitions by them, rows that nobody changes.

-- 48 bits of milliseconds, then random ones, with the bits of version 7.
CREATE FUNCTION ops.uuid_v7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$
  SELECT encode(
    set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;
$$;
COMMENT ON FUNCTION ops.uuid_v7 IS 'A new UUID whose order is that of its time';

CREATE FUNCTION ops.uuid_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
$$;
COMMENT ON FUNCTION ops.uuid_floor IS 'Below every UUIDv7 made at that time or later';

-- A person's name may go out of rows that are final otherwise: `payments erase` says so, as the tables' owner, who could do worse.
CREATE FUNCTION ops.erasing() RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT current_user = 'payments_owner' AND current_setting('payments.erasing', true) = 'on';
$$;
COMMENT ON FUNCTION ops.erasing IS 'Whether this transaction takes a name out of what is kept';

-- For tables whose rows are facts.
CREATE FUNCTION ops.refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF ops.erasing() THEN
    RETURN coalesce(NEW, OLD);
  END IF;
  RAISE EXCEPTION '% of %.% is refused: its rows are final', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', HINT = 'Enter another row that corrects it.';
END
$$;

-- Whose names were erased, as digests: nobody is told by them, and the seeding makes them no new wallets.
CREATE TABLE ops.erasure (
  name_digest bytea       PRIMARY KEY CHECK (length(name_digest) = 32),
  erased_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.erasure IS 'SHA-256 of the names of customers whose data was erased';

CREATE FUNCTION ops.name_digest(name text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(name, 'UTF8'));

-- Months of a table that is partitioned by a UUIDv7, from this one on. Called by services, which may not make tables; what it
-- makes has the rights and the owner of its parent, and is stored as the DEFAULT partition is. Two callers at once: one waits, then finds nothing to do. A month of which the
-- DEFAULT partition has rows already stays there: it is one table more than one would like, and nothing else.
CREATE FUNCTION ops.add_months(parent regclass, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  from_on timestamptz := date_trunc('month', now(), 'UTC');
  schema  text;
  table_  text;
  storage text;
  made    integer := 0;
BEGIN
  SELECT n.nspname, c.relname INTO STRICT schema, table_
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = parent AND c.relkind = 'p' AND pg_get_userbyid(c.relowner) = 'payments_owner';
  IF NOT pg_has_role(session_user, 'payments_' || schema, 'MEMBER') THEN
    RAISE insufficient_privilege USING MESSAGE = format('partitions of %s are made for its own service', parent);
  END IF;
  IF months NOT BETWEEN 1 AND 24 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'months takes 1 to 24';
  END IF;
  SELECT 'WITH (' || array_to_string(reloptions, ', ') || ')' INTO storage
  FROM pg_class WHERE oid = to_regclass(format('%I.%I', schema, table_ || '_default'));
  PERFORM pg_advisory_xact_lock(hashtext('ops.add_months'), hashtext(parent::text));
  FOR i IN 0..months - 1 LOOP
    DECLARE
      month timestamptz := (from_on AT TIME ZONE 'UTC' + make_interval(months => i)) AT TIME ZONE 'UTC';
      next  timestamptz := (from_on AT TIME ZONE 'UTC' + make_interval(months => i + 1)) AT TIME ZONE 'UTC';
      name  text := table_ || to_char(month AT TIME ZONE 'UTC', '"_"YYYY"_"MM');
    BEGIN
      CONTINUE WHEN to_regclass(format('%I.%I', schema, name)) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L) %s',
                     schema, name, parent, ops.uuid_floor(month), ops.uuid_floor(next), storage);
      made := made + 1;
    EXCEPTION WHEN check_violation THEN
      RAISE WARNING '% has rows in its DEFAULT partition: they stay there', name;
    END;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION ops.add_months FROM PUBLIC;

-- What every service has in its schema, with the rights of its role. Called by its first migration.
CREATE FUNCTION ops.add_service_tables(schema text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog
AS $body$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY ARRAY[
    $$CREATE TABLE %1$I.idempotency (
        scope       text        NOT NULL, -- method, route, caller
        key         text        NOT NULL CHECK (length(key) BETWEEN 1 AND 510),
        fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32),
        status      smallint    NOT NULL,
        headers     jsonb       NOT NULL,
        answer      text        NOT NULL, -- as it was sent, to the byte
        created_at  timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (scope, key))$$,
    $$CREATE INDEX idempotency_by_age ON %1$I.idempotency (created_at)$$,
    $$COMMENT ON TABLE %1$I.idempotency IS 'Answers to requests with an Idempotency-Key, for a day'$$,
    $$CREATE TABLE %1$I.illegal_transition (
        message_id  text        NOT NULL,
        event       text        NOT NULL,
        subject_id  uuid        NOT NULL, -- what it is about, e.g. a payment
        state       text        NOT NULL, -- that it met
        reason      text        NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (message_id, event))$$,
    $$COMMENT ON TABLE %1$I.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied'$$,
    $$CREATE TABLE %1$I.outbox (
        message_id    uuid        PRIMARY KEY,
        event         text        NOT NULL,
        headers       jsonb       NOT NULL,
        body          text        NOT NULL,
        entered_at    timestamptz NOT NULL DEFAULT now(),
        claimed_until timestamptz)$$,
    $$COMMENT ON TABLE %1$I.outbox IS 'Events to be published; a row lives for milliseconds'$$,
    $$GRANT USAGE ON SCHEMA ops, %1$I TO %2$I$$,
    $$GRANT SELECT ON ops.module_migration TO %2$I$$,
    $$GRANT EXECUTE ON FUNCTION ops.add_months TO %2$I$$,
    $$GRANT SELECT, INSERT, DELETE ON %1$I.outbox, %1$I.idempotency TO %2$I$$,
    $$GRANT UPDATE (claimed_until) ON %1$I.outbox TO %2$I$$,
    $$GRANT UPDATE ON %1$I.idempotency TO %2$I$$, -- FOR UPDATE SKIP LOCKED
    $$GRANT SELECT, INSERT ON %1$I.illegal_transition TO %2$I$$,
    $$GRANT USAGE ON SCHEMA %1$I TO payments_loader, payments_exporter$$ -- which read its audit
  ] LOOP
    EXECUTE format(statement, schema, 'payments_' || schema);
  END LOOP;
END
$body$;
COMMENT ON FUNCTION ops.add_service_tables IS 'Makes outbox, idempotency and illegal_transition of a service';
REVOKE ALL ON FUNCTION ops.add_service_tables FROM PUBLIC;

-- How old what is in flight may be for an audit, which sets it; 0: nothing may be in flight.
CREATE FUNCTION ops.audit_grace() RETURNS interval
LANGUAGE sql STABLE
AS $$
  SELECT make_interval(secs => coalesce(nullif(current_setting('payments.audit_grace_s', true), '')::integer, 60));
$$;
COMMENT ON FUNCTION ops.audit_grace IS 'What is younger counts as in flight';

GRANT USAGE ON SCHEMA ops TO payments_app;

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
