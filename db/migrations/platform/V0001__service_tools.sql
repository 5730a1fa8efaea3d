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

-- For tables whose rows are facts.
CREATE FUNCTION ops.refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION '% of %.% is refused: its rows are final', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', HINT = 'Enter another row that corrects it.';
END
$$;

-- Months of a table that is partitioned by a UUIDv7, from this one on. Called by services, which may not make tables; what it
-- makes has the rights and the owner of its parent. Two callers at once: one waits, then finds nothing to do. A month of which the
-- DEFAULT partition has rows already stays there: it is one table more than one would like, and nothing else.
CREATE FUNCTION ops.add_months(parent regclass, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  from_on timestamptz := date_trunc('month', now(), 'UTC');
  schema  text;
  table_  text;
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
  PERFORM pg_advisory_xact_lock(hashtext('ops.add_months'), hashtext(parent::text));
  FOR i IN 0..months - 1 LOOP
    DECLARE
      month timestamptz := (from_on AT TIME ZONE 'UTC' + make_interval(months => i)) AT TIME ZONE 'UTC';
      next  timestamptz := (from_on AT TIME ZONE 'UTC' + make_interval(months => i + 1)) AT TIME ZONE 'UTC';
      name  text := table_ || to_char(month AT TIME ZONE 'UTC', '"_"YYYY"_"MM');
    BEGIN
      CONTINUE WHEN to_regclass(format('%I.%I', schema, name)) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                     schema, name, parent, ops.uuid_floor(month), ops.uuid_floor(next));
      made := made + 1;
    EXCEPTION WHEN check_violation THEN
      RAISE WARNING '% has rows in its DEFAULT partition: they stay there', name;
    END;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION ops.add_months FROM PUBLIC;

GRANT USAGE ON SCHEMA ops TO payments_app;
