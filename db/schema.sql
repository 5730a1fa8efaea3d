-- What db/migrations add up to. Made by scripts/schema_dump.sh, compared by a test: change a migration, not this.

CREATE SCHEMA campaigns;

CREATE SCHEMA collector;

CREATE SCHEMA console;

CREATE SCHEMA etl;

CREATE SCHEMA ingest;

CREATE SCHEMA monitor;

CREATE SCHEMA ops;

CREATE SCHEMA payments;

CREATE SCHEMA payouts;

CREATE SCHEMA reporter;

CREATE SCHEMA reports;

CREATE SCHEMA saga;

CREATE SCHEMA staging;

CREATE SCHEMA traffic;

CREATE SCHEMA wallet;

CREATE FUNCTION campaigns.keep_campaign() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.campaign_id, NEW.name, NEW.currency, NEW.starts_at, NEW.ends_at, NEW.created_at)
       IS NOT DISTINCT FROM (OLD.campaign_id, OLD.name, OLD.currency, OLD.starts_at, OLD.ends_at, OLD.created_at)
     AND NEW.spend >= OLD.spend AND NEW.impressions >= OLD.impressions AND NEW.clicks >= OLD.clicks
     AND NEW.conversions >= OLD.conversions AND NEW.event_version >= OLD.event_version
     AND (NEW.spend = OLD.spend OR OLD.state = 'ACTIVE')
     AND (NEW.budget = OLD.budget OR OLD.state <> 'COMPLETED')
     AND (NEW.state = OLD.state
          OR EXISTS (SELECT FROM campaigns.transition WHERE from_state = OLD.state AND to_state = NEW.state))
     AND NEW.version = OLD.version + (NEW.state <> OLD.state OR NEW.budget <> OLD.budget)::integer THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'campaign % is %: this change of it is refused', OLD.campaign_id, OLD.state
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION campaigns.sighting_retention() RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '7 days'::interval;

COMMENT ON FUNCTION campaigns.sighting_retention() IS 'How long a click or an impression is known by its name';

CREATE FUNCTION collector.erase(customer text, pseudonym text) RETURNS TABLE(what text, rows bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
  told uuid[] := ARRAY(
    SELECT e.id FROM collector.event e
    WHERE position(to_json(customer)::text IN e.body) > 0
      AND customer IN (e.body::jsonb -> 'data' ->> 'id_afiliado', e.body::jsonb ->> 'session_id'));
BEGIN
  IF EXISTS (SELECT FROM collector.delivery d
             WHERE d.id = ANY (told) AND d.awaited AND (d.outcome IS NULL OR d.outcome = 'pending'))
     OR EXISTS (SELECT FROM collector.outbox o WHERE position(to_json(customer)::text IN o.body) > 0) THEN
    RAISE object_in_use USING MESSAGE = 'an event of the customer is in flight';
  END IF;
  what := 'events of partners';
  UPDATE collector.event e
  SET body = (CASE WHEN j.body ->> 'session_id' = customer THEN jsonb_set(j.body, '{session_id}', to_jsonb(pseudonym)) ELSE j.body END
              || CASE WHEN j.body -> 'data' ->> 'id_afiliado' = customer
                      THEN jsonb_build_object('data', j.body -> 'data' || jsonb_build_object('id_afiliado', pseudonym))
                      ELSE '{}' END)::text
  FROM (SELECT id, body::jsonb AS body FROM collector.event WHERE id = ANY (told)) j
  WHERE e.id = j.id;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  UPDATE collector.event_key k SET fingerprint = sha256(convert_to(e.body, 'UTF8'))
  FROM collector.event e
  WHERE e.id = ANY (told) AND k.id = e.id;
  what := 'payouts that partners asked for';
  UPDATE collector.payout p SET id_afiliado = pseudonym WHERE p.id_afiliado = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
END
$$;

COMMENT ON FUNCTION collector.erase(customer text, pseudonym text) IS 'Gives the events and payouts of an afiliado, or of a session, a pseudonym';

CREATE FUNCTION collector.keep_delivery() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NEW.version >= OLD.version
     AND (NEW.id, NEW.destination, NEW.awaited) = (OLD.id, OLD.destination, OLD.awaited)
     AND (OLD.message_id IS NULL OR NEW.message_id = OLD.message_id)
     AND (OLD.id_pago IS NULL OR NEW.id_pago = OLD.id_pago)
     AND (CASE OLD.state
           WHEN 'waiting' THEN NEW.state IN ('sent', 'refused')
           WHEN 'sent' THEN NEW.state IN ('accepted', 'refused')
                            OR NEW.state = 'sent' AND NEW.sends = OLD.sends + 1
           WHEN 'accepted' THEN NEW.state = 'accepted'
                                AND (OLD.outcome = 'pending' AND NEW.outcome IN ('completed', 'failed', 'returned')
                                     OR OLD.outcome = 'completed' AND NEW.outcome = 'returned')
           ELSE false END) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'delivery of % to % is %: this change of it is refused', OLD.id, OLD.destination, OLD.state
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION collector.minor(amount text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((amount)::numeric * (100)::numeric))::bigint;

CREATE FUNCTION console.keep_action() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
BEGIN
  IF OLD.state <> 'running' THEN
    RAISE EXCEPTION 'action % is % for good', OLD.action_id, OLD.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION etl.attach_leaf(leaf text, month date) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  EXECUTE format('ALTER TABLE payments.txn ATTACH PARTITION payments.%I FOR VALUES FROM (%L) TO (%L)',
                 leaf, to_char(month::timestamp, 'YYYY-MM-01 00:00:00+00'),
                 to_char(month::timestamp + interval '1 month', 'YYYY-MM-01 00:00:00+00'));
  -- The partition bound says the same from here on.
  EXECUTE format('ALTER TABLE payments.%I DROP CONSTRAINT %I', leaf, leaf || '_month');
  EXECUTE format('GRANT SELECT ON payments.%I TO payments_reader', leaf);
END
$$;

CREATE FUNCTION etl.build_name(run text, month date) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  IF (run ~ '^r[0-9]{1,9}$' AND extract(day FROM month) = 1) IS NOT TRUE THEN
    RAISE EXCEPTION 'build_name: % and % are not a run and the first day of a month', run, month
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN 'txn_' || run || to_char(month::timestamp, '_YYYY_MM');
END
$_$;

CREATE FUNCTION etl.create_builds(run text, months date[], opens timestamp with time zone[], closes timestamp with time zone[], accepted jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  accounts  text;
  merchants text;
  additions text[];
  build     text;
  added     text;
  rule      record;
BEGIN
  SELECT * INTO rule
  FROM jsonb_to_record(accepted) AS named (max_amount numeric, currencies text[], kinds text[], channels text[],
                                           networks text[], statuses text[], response_codes text[]);
  IF num_nulls(rule.max_amount, rule.currencies, rule.kinds, rule.channels, rule.networks, rule.statuses,
               rule.response_codes) > 0 THEN
    RAISE EXCEPTION 'create_builds: a list is missing in %', accepted USING ERRCODE = 'invalid_parameter_value';
  END IF;
  LOCK TABLE etl.month IN ROW SHARE MODE;  -- waits for a dump, see etl.hold_publishing; so does drop_build
  SELECT CASE WHEN count(*) = max(account_id)::bigint - min(account_id) + 1
              THEN format('account_id >= %s AND account_id <= %s', min(account_id), max(account_id)) END
  INTO accounts
  FROM payments.account;
  IF accounts IS NULL THEN
    -- As bigint, for the range of the largest integer ends with the one after it.
    SELECT format('account_id::bigint <@ %L::pg_catalog.int8multirange',
                  coalesce(range_agg(int8range(account_id, account_id, '[]')), '{}'))
    INTO accounts
    FROM payments.account;
  END IF;
  SELECT coalesce(format('[%s:%s]={%s}', min(id), max(id), string_agg(coalesce(t.merchant_id, 0)::text, ',' ORDER BY id)), '{}')
  INTO merchants
  FROM (SELECT generate_series(min(terminal_id), max(terminal_id)) AS id FROM payments.terminal) ids
  LEFT JOIN payments.terminal t ON t.terminal_id = ids.id;

  -- Columns of txn that no migration made, as far as a row can do without them.
  SELECT coalesce(array_agg(format('%I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                                   CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation END,
                                   CASE a.attgenerated WHEN 's' THEN ' GENERATED ALWAYS AS (' || d.expression || ') STORED'
                                                       WHEN 'v' THEN ' GENERATED ALWAYS AS (' || d.expression || ') VIRTUAL'
                                                       ELSE ' DEFAULT ' || d.expression END)
                            ORDER BY a.attgenerated, a.attnum), '{}')  -- what a column is generated from comes first
  INTO additions
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN (SELECT adrelid, adnum, pg_get_expr(adbin, adrelid) AS expression FROM pg_attrdef) d
    ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = 'payments.txn'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attname NOT IN (SELECT attname FROM pg_attribute WHERE attrelid = 'staging.txn_shape'::regclass AND NOT attisdropped);

  FOR i IN 1 .. cardinality(months) LOOP
    build := etl.build_name(run, months[i]);
    EXECUTE format(
      $build$
        CREATE TABLE staging.%1$I (LIKE staging.txn_shape) PARTITION BY LIST ((
          (line_id IS NULL AND txn_id IS NOT NULL
           AND %2$s
           AND merchant_id <> 0 AND merchant_id = (%3$L::integer[])[terminal_id]
           AND occurred_at >= %4$L AND occurred_at < %5$L
           AND amount > 0 AND amount <= %6$L
           AND currency = ANY (%7$L::text[]) AND kind = ANY (%8$L::text[]) AND channel = ANY (%9$L::text[])
           AND network = ANY (%10$L::text[]) AND status = ANY (%11$L::text[]) AND response_code = ANY (%12$L::text[])
           AND is_fraud IS NOT NULL) IS TRUE))
      $build$,
      build, accounts, merchants, opens[i], closes[i], rule.max_amount,
      rule.currencies, rule.kinds, rule.channels, rule.networks, rule.statuses, rule.response_codes);
    -- The leaf is made like txn, so it has them too, and what it is attached to must.
    FOREACH added IN ARRAY additions LOOP
      EXECUTE format('ALTER TABLE staging.%I ADD COLUMN %s', build, added);
    END LOOP;
    PERFORM etl.make_leaf('staging', build || '_leaf', months[i]);
    EXECUTE format('ALTER TABLE staging.%I ADD COLUMN amount_raw text, ADD COLUMN line_id bigint', build || '_leaf');
    -- Nothing to vacuum before it is published, and nothing may hold a lock then.
    EXECUTE format('ALTER TABLE staging.%I SET (autovacuum_enabled = false)', build || '_leaf');
    EXECUTE format('ALTER TABLE staging.%I ATTACH PARTITION staging.%I FOR VALUES IN (true)', build, build || '_leaf');
    EXECUTE format('CREATE TABLE staging.%I PARTITION OF staging.%I FOR VALUES IN (false)', build || '_suspect', build);
    EXECUTE format('CREATE INDEX ON staging.%I ((coalesce(line_id, txn_id)))', build || '_suspect');
    EXECUTE format('GRANT INSERT ON staging.%I TO payments_loader', build);
    EXECUTE format('GRANT SELECT, DELETE ON staging.%I TO payments_loader', build || '_suspect');
  END LOOP;
END
$_$;

CREATE FUNCTION etl.create_builds(run text, months date[], opens timestamp with time zone[], closes timestamp with time zone[], max_amount numeric, currencies text[], kinds text[], channels text[], networks text[], statuses text[], response_codes text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM etl.create_builds(run, months, opens, closes, jsonb_build_object(
    'max_amount', max_amount, 'currencies', currencies, 'kinds', kinds, 'channels', channels, 'networks', networks,
    'statuses', statuses, 'response_codes', response_codes));
END
$$;

CREATE FUNCTION etl.create_healed_leaf(month date) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT etl.make_leaf('payments', etl.leaf_name(month) || '_healed', month); SELECT etl.leaf_name(month) || '_healed' $$;

CREATE FUNCTION etl.drop_build(run text, month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  LOCK TABLE etl.month IN ROW SHARE MODE;
  EXECUTE format('DROP TABLE IF EXISTS staging.%I', etl.build_name(run, month));
END
$$;

CREATE FUNCTION etl.hold_publishing() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN LOCK TABLE etl.month IN EXCLUSIVE MODE; END $$;

CREATE FUNCTION etl.index_healed_leaf(month date) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT etl.index_leaf(etl.leaf_name(month) || '_healed') $$;

CREATE FUNCTION etl.index_leaf(leaf text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET default_statistics_target TO '25'
    AS $_$
DECLARE
  parent record;
BEGIN
  FOR parent IN
    SELECT leaf || substr(x.relname, length('txn') + 1) AS leaf_index, CASE WHEN i.indisunique THEN 'UNIQUE' END AS uniqueness,
           substring(pg_get_indexdef(x.oid) FROM ' ON ONLY payments\.txn (.*)$') AS definition,
           (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.conindid = x.oid AND c.conrelid = i.indrelid) AS promise
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = 'payments.txn'::regclass AND x.relname LIKE 'txn\_%'  -- one of another name gets one from ATTACH
    ORDER BY x.oid
  LOOP
    IF parent.promise IS NOT NULL THEN
      EXECUTE format('ALTER TABLE payments.%I ADD CONSTRAINT %I %s', leaf, parent.leaf_index, parent.promise);
    ELSE
      EXECUTE format('CREATE %s INDEX %I ON payments.%I %s', parent.uniqueness, parent.leaf_index, leaf, parent.definition);
    END IF;
  END LOOP;
  EXECUTE format('ANALYZE payments.%I', leaf);
END
$_$;

CREATE FUNCTION etl.leaf_name(month date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ('txn_'::text || to_char((month)::timestamp without time zone, 'YYYY_MM'::text));

CREATE FUNCTION etl.make_leaf(namespace text, leaf text, month date) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF month IS NULL OR extract(day FROM month) <> 1 THEN
    RAISE EXCEPTION 'make_leaf: % is not the first day of a month', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('CREATE TABLE %I.%I (LIKE payments.txn INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS)',
                 namespace, leaf);
  EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I CHECK (occurred_at >= %L AND occurred_at < %L)',
                 namespace, leaf, leaf || '_month', to_char(month::timestamp, 'YYYY-MM-01 00:00:00+00'),
                 to_char(month::timestamp + interval '1 month', 'YYYY-MM-01 00:00:00+00'));
  EXECUTE format('GRANT SELECT, INSERT ON %I.%I TO payments_loader', namespace, leaf);
END
$$;

CREATE FUNCTION etl.publish_build(run text, month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  build text := etl.build_name(run, month);
  leaf  text := etl.leaf_name(month);
BEGIN
  EXECUTE format('ALTER TABLE staging.%I DETACH PARTITION staging.%I', build, build || '_leaf');
  EXECUTE format('DROP TABLE staging.%I', build);
  -- Both columns are null in every row, so dropping them leaves nothing behind in the table.
  EXECUTE format('ALTER TABLE staging.%I DROP COLUMN amount_raw, DROP COLUMN line_id, RESET (autovacuum_enabled)',
                 build || '_leaf');
  EXECUTE format('ALTER TABLE staging.%I RENAME CONSTRAINT %I TO %I',
                 build || '_leaf', build || '_leaf_month', leaf || '_month');
  EXECUTE format('ALTER TABLE staging.%I RENAME TO %I', build || '_leaf', leaf);
  EXECUTE format('ALTER TABLE staging.%I SET SCHEMA payments', leaf);
  PERFORM etl.index_leaf(leaf), etl.attach_leaf(leaf, month);
END
$$;

CREATE FUNCTION etl.swap_healed_leaf(month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  leaf   text := etl.leaf_name(month);
  healed text := leaf || '_healed';
  name   text;
BEGIN
  -- In the order in which readers take them: parent, then leaf. Detaching is skipped for a leaf that lost its place.
  LOCK TABLE payments.txn IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('DROP TABLE IF EXISTS payments.%I', leaf);
  EXECUTE format('ALTER TABLE payments.%I RENAME TO %I', healed, leaf);
  EXECUTE format('ALTER TABLE payments.%I RENAME CONSTRAINT %I TO %I', leaf, healed || '_month', leaf || '_month');
  FOR name IN
    SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = format('payments.%I', leaf)::regclass
  LOOP
    EXECUTE format('ALTER INDEX payments.%I RENAME TO %I', name, leaf || substr(name, length(healed) + 1));
  END LOOP;
  PERFORM etl.attach_leaf(leaf, month);
END
$$;

CREATE FUNCTION ingest.keep_event() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.id, NEW.body_id, NEW.place, NEW.received_at) = (OLD.id, OLD.body_id, OLD.place, OLD.received_at)
     AND NEW.attempts >= OLD.attempts THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'event % is of place % of body %: this change of it is refused', OLD.id, OLD.place, OLD.body_id
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION ingest.keep_mapping() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.id, NEW.family, NEW.shape, NEW.layout) = (OLD.id, OLD.family, OLD.shape, OLD.layout)
     AND (OLD.state = NEW.state OR OLD.state IN ('candidate', 'promoted') AND NEW.state <> 'candidate') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'mapping % is %: this change of it is refused', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TABLE monitor.report_window (
    window_uuid uuid NOT NULL,
    id bigint NOT NULL,
    service text NOT NULL,
    window_from timestamp with time zone NOT NULL,
    window_to timestamp with time zone NOT NULL,
    interval_ms integer NOT NULL,
    expected integer NOT NULL,
    last_seq integer,
    deadline timestamp with time zone NOT NULL,
    state text DEFAULT 'OPEN'::text NOT NULL,
    received integer,
    errors integer,
    closed_at timestamp with time zone,
    decided_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT report_window_check CHECK (((last_seq >= 0) AND (last_seq <= expected))),
    CONSTRAINT report_window_check1 CHECK (((received >= 0) AND (received <= expected))),
    CONSTRAINT report_window_check2 CHECK (((errors >= 0) AND (errors <= received))),
    CONSTRAINT report_window_check3 CHECK (((state = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text])) = (decided_at IS NULL))),
    CONSTRAINT report_window_check4 CHECK (((decided_at IS NULL) = (received IS NULL))),
    CONSTRAINT report_window_check5 CHECK (((decided_at IS NULL) = (errors IS NULL))),
    CONSTRAINT report_window_check6 CHECK (((decided_at IS NULL) = (closed_at IS NULL))),
    CONSTRAINT report_window_check7 CHECK (((state <> 'CLOSED'::text) OR (received >= COALESCE(last_seq, expected)))),
    CONSTRAINT report_window_check8 CHECK (((state <> 'ALERT'::text) OR (received < COALESCE(last_seq, expected)))),
    CONSTRAINT report_window_expected_check CHECK (((expected >= 1) AND (expected <= 86400))),
    CONSTRAINT report_window_interval_ms_check CHECK (((interval_ms >= 10) AND (interval_ms <= 3600000))),
    CONSTRAINT report_window_service_check CHECK (((length(service) >= 1) AND (length(service) <= 63))),
    CONSTRAINT report_window_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text, 'CLOSED'::text, 'ALERT'::text, 'RESOLVED_LATE'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE monitor.report_window IS 'A window and its schedule: which reports are to come, and whether they did';

CREATE FUNCTION monitor.agrees(w monitor.report_window) RETURNS boolean
    LANGUAGE sql
    AS $$
  SELECT CASE w.state WHEN 'RESOLVED_LATE' THEN count(*) >= coalesce(w.last_seq, w.expected)
                      ELSE count(*) FILTER (WHERE NOT late) = w.received END
  FROM monitor.report r WHERE r.window_uuid = w.window_uuid AND r.seq <= coalesce(w.last_seq, w.expected);
$$;

CREATE FUNCTION monitor.keep_report() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM monitor.report_window w
                 WHERE w.window_uuid = NEW.window_uuid AND NEW.seq <= w.expected AND NEW.late = (w.decided_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'report % is none of window %, or not late as it says', NEW.seq, NEW.window_uuid
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION monitor.keep_window() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.window_uuid, NEW.id, NEW.service, NEW.window_from, NEW.window_to, NEW.interval_ms, NEW.expected, NEW.created_at)
     = (OLD.window_uuid, OLD.id, OLD.service, OLD.window_from, OLD.window_to, OLD.interval_ms, OLD.expected, OLD.created_at)
     AND NEW.deadline <= OLD.deadline
     AND (NEW.last_seq IS NOT DISTINCT FROM OLD.last_seq
          OR (OLD.decided_at IS NULL AND NEW.last_seq <= coalesce(OLD.last_seq, OLD.expected)))
     AND (OLD.state = NEW.state OR NEW.state IN ('OPEN', 'UNKNOWN') OR monitor.agrees(NEW))
     AND (OLD.decided_at IS NULL
          OR (NEW.received, NEW.errors, NEW.closed_at, NEW.decided_at, NEW.deadline)
             = (OLD.received, OLD.errors, OLD.closed_at, OLD.decided_at, OLD.deadline))
     AND EXISTS (SELECT FROM monitor.transition WHERE from_state = OLD.state AND to_state = NEW.state) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'window % is %: this change of it is refused', OLD.window_uuid, OLD.state USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION monitor.passed() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  SELECT m.sent_at
  FROM monitor.marker m
  WHERE m.back_at IS NOT NULL
    AND m.sent_at > now() - interval '1 hour'
    AND (SELECT last_at FROM monitor.hearing) > statement_timestamp() - interval '5 seconds'
    AND NOT EXISTS (
      SELECT FROM monitor.lease h
      WHERE h.gave_back_at >= m.sent_at OR (h.renewed_at < m.back_at AND h.ends_at > m.sent_at))
  ORDER BY m.sent_at DESC
  LIMIT 1;
$$;

COMMENT ON FUNCTION monitor.passed() IS 'Until when all that was in the queue of reports is accounted for';

CREATE FUNCTION monitor.refuse_young() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF OLD.created_at > now() - interval '28 days' THEN
    RAISE EXCEPTION 'DELETE of %.% is refused: the row is younger than 28 days', TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END
$$;

CREATE FUNCTION ops.add_months(parent regclass, months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
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

CREATE FUNCTION ops.add_rate_limit(schema text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $_$
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
$_$;

COMMENT ON FUNCTION ops.add_rate_limit(schema text) IS 'Makes the table rate_limit of a service';

CREATE FUNCTION ops.add_service_tables(schema text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $_$
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
$_$;

COMMENT ON FUNCTION ops.add_service_tables(schema text) IS 'Makes outbox, idempotency and illegal_transition of a service';

CREATE FUNCTION ops.add_webhook_tables(schema text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $_$
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
$_$;

COMMENT ON FUNCTION ops.add_webhook_tables(schema text) IS 'Makes webhook and webhook_stop of a service';

CREATE FUNCTION ops.audit_grace() RETURNS interval
    LANGUAGE sql STABLE
    AS $$
  SELECT make_interval(secs => coalesce(nullif(current_setting('payments.audit_grace_s', true), '')::integer, 60));
$$;

COMMENT ON FUNCTION ops.audit_grace() IS 'What is younger counts as in flight';

CREATE FUNCTION ops.commit_without_waiting() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  SET LOCAL synchronous_commit = off;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION ops.commit_without_waiting() IS 'Has a transaction that changes the table commit without waiting for the disk';

CREATE FUNCTION ops.erasing() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  SELECT current_user = 'payments_owner' AND current_setting('payments.erasing', true) = 'on';
$$;

COMMENT ON FUNCTION ops.erasing() IS 'Whether this transaction takes a name out of what is kept';

CREATE FUNCTION ops.forget_dead_letters() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
BEGIN
  -- One at a time: two would wait for each other's rows.
  IF pg_try_advisory_xact_lock(hashtext('ops.forget_dead_letters')) THEN
    DELETE FROM ops.dead_letter
    WHERE letter_no IN (
      SELECT letter_no
      FROM (SELECT letter_no, recorded_at FROM ops.dead_letter ORDER BY letter_no LIMIT 1000) oldest
      WHERE recorded_at < now() - interval '90 days'
         OR letter_no <= (SELECT max(letter_no) - 1000000 FROM ops.dead_letter));
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION ops.name_digest(name text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(convert_to(name, 'UTF8'::name));

CREATE FUNCTION ops.outbox_state() RETURNS TABLE(schema text, waiting_events bigint, oldest_age_seconds double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
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
$_$;

COMMENT ON FUNCTION ops.outbox_state() IS 'How many events wait to be published, and since when, by the schema of their service';

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

CREATE FUNCTION ops.timeline() RETURNS text
    LANGUAGE sql STABLE
    AS $$
  SELECT concat_ws('.', (SELECT system_identifier FROM pg_catalog.pg_control_system()),
                   left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8),
                   (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()));
$$;

COMMENT ON FUNCTION ops.timeline() IS 'Another one after each restore and each failover';

CREATE FUNCTION ops.uuid_floor(at timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
$$;

COMMENT ON FUNCTION ops.uuid_floor(at timestamp with time zone) IS 'Below every UUIDv7 made at that time or later';

CREATE FUNCTION ops.uuid_v7(at timestamp with time zone DEFAULT clock_timestamp()) RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    AS $$
  SELECT encode(
    set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;
$$;

COMMENT ON FUNCTION ops.uuid_v7(at timestamp with time zone) IS 'A new UUID whose order is that of its time';

CREATE FUNCTION ops.webhook_state() RETURNS TABLE(schema text, pending bigint, oldest_age_seconds double precision, given_up bigint, stopped integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
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
$_$;

COMMENT ON FUNCTION ops.webhook_state() IS 'How many webhooks wait, and since when, how many were given up, and whether they are stopped, by schema';

CREATE FUNCTION payments.console_declines(month date, most integer) RETURNS TABLE(response_code text, transactions bigint, share double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
DECLARE
  leaf text;
  of_it double precision;
BEGIN
  SELECT etl.leaf_name(m.month) INTO leaf FROM etl.month m WHERE m.month = console_declines.month;
  IF leaf IS NULL THEN
    RETURN;
  END IF;
  -- A page holds 60 to 80 rows; a table that was never analysed says -1.
  SELECT least(1, console_declines.most / greatest(c.reltuples, pg_relation_size(c.oid) / 8192 * 60, 1)) INTO of_it
  FROM pg_class c WHERE c.oid = to_regclass(format('payments.%I', leaf));
  IF of_it IS NULL THEN
    RETURN;
  END IF;
  -- By its name, which the table that is swapped in takes over.
  RETURN QUERY EXECUTE format(
    'SELECT t.response_code, count(*), %L::double precision FROM payments.%I t TABLESAMPLE SYSTEM (%s) REPEATABLE (1)
     WHERE t.status = ''declined'' GROUP BY t.response_code', of_it, leaf, (100 * of_it)::numeric);
EXCEPTION
  WHEN undefined_table THEN -- it was taken away meanwhile
    RETURN;
END
$$;

COMMENT ON FUNCTION payments.console_declines(month date, most integer) IS 'Response codes of declined transactions of a month, in a sample of about so many rows';

CREATE FUNCTION payouts.count_retried() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
BEGIN
  INSERT INTO payouts.outbox_total AS t (event, slot, failed, retries)
  SELECT c.event, pg_backend_pid() % 8, count(*) FILTER (WHERE w.claimed_until IS NULL), count(*)
  FROM claimed c JOIN was w USING (message_id)
  GROUP BY c.event ORDER BY c.event
  ON CONFLICT (event, slot) DO UPDATE SET failed = t.failed + excluded.failed, retries = t.retries + excluded.retries;
  RETURN NULL;
END
$$;

CREATE FUNCTION payouts.count_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
BEGIN
  INSERT INTO payouts.outbox_total AS t (event, slot, sent)
  SELECT event, pg_backend_pid() % 8, count(*) FROM gone GROUP BY event ORDER BY event
  ON CONFLICT (event, slot) DO UPDATE SET sent = t.sent + excluded.sent;
  RETURN NULL;
END
$$;

CREATE FUNCTION payouts.erase(customer text, pseudonym text) RETURNS TABLE(what text, rows bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT FROM payouts.pago p WHERE p.id_afiliado = customer AND p.estado IN ('PENDIENTE', 'PROCESANDO'))
     OR EXISTS (SELECT FROM payouts.outbox o WHERE position(to_json(customer)::text IN o.body) > 0) THEN
    RAISE object_in_use USING MESSAGE = 'a Pago of the afiliado is in flight';
  END IF;
  what := 'Pagos';
  UPDATE payouts.pago p SET id_afiliado = pseudonym, referencia_pago = NULL WHERE p.id_afiliado = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'references of Pagos';
  DELETE FROM payouts.reference r WHERE r.id_afiliado = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
END
$$;

COMMENT ON FUNCTION payouts.erase(customer text, pseudonym text) IS 'Gives an afiliado''s Pagos a pseudonym, and forgets how they were called';

CREATE FUNCTION payouts.keep_pago() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF ops.erasing()
     OR (NEW.id_pago, NEW.id_afiliado, NEW.referencia_pago, NEW.monto, NEW.moneda, NEW.trace_id, NEW.created_at)
        IS NOT DISTINCT FROM
        (OLD.id_pago, OLD.id_afiliado, OLD.referencia_pago, OLD.monto, OLD.moneda, OLD.trace_id, OLD.created_at)
        -- What is known of the gateway stays known.
        AND (OLD.gateway_key IS NULL OR (NEW.gateway_key, NEW.sent_at) = (OLD.gateway_key, OLD.sent_at))
        AND (OLD.gateway_id IS NULL OR NEW.gateway_id = OLD.gateway_id)
        AND NEW.ended >= OLD.ended
        AND EXISTS (SELECT FROM payouts.transition WHERE from_estado = OLD.estado AND to_estado = NEW.estado) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Pago % is %: this change of it is refused', OLD.id_pago, OLD.estado
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION payouts.require_success() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM payouts.pago
                 WHERE id_pago = NEW.id_pago AND estado = 'EXITOSO' AND gateway_id = NEW.gateway_id) THEN
    RAISE EXCEPTION 'Pago % is not EXITOSO as %', NEW.id_pago, NEW.gateway_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION reporter.keep_tick() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.window_uuid, NEW.seq, NEW.id, NEW.status, NEW.ticked_at, NEW.created_at)
     = (OLD.window_uuid, OLD.seq, OLD.id, OLD.status, OLD.ticked_at, OLD.created_at)
     AND OLD.outcome = 'sending' AND NEW.outcome IN ('sending', 'sent') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'tick % of window % is %: this change of it is refused', OLD.seq, OLD.window_uuid, OLD.outcome
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION reporter.keep_window() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.window_uuid, NEW.id, NEW.service, NEW.seed, NEW.error_rate, NEW.omission_rate, NEW.interval_ms, NEW.duration_ms,
      NEW.opened_at, NEW.window_from, NEW.created_at)
     = (OLD.window_uuid, OLD.id, OLD.service, OLD.seed, OLD.error_rate, OLD.omission_rate, OLD.interval_ms, OLD.duration_ms,
        OLD.opened_at, OLD.window_from, OLD.created_at)
     AND (OLD.audited_at IS NULL OR NEW.audited_at = OLD.audited_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'window %: this change of it is refused', OLD.window_uuid USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION reporter.refuse_young() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF current_user <> 'payments_owner' AND OLD.created_at > now() - interval '28 days' THEN
    RAISE EXCEPTION 'DELETE of %.% is refused: the row is younger than 28 days', TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END
$$;

CREATE FUNCTION reports.erase(customer text, pseudonym text) RETURNS TABLE(what text, rows bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM FROM reports.head FOR NO KEY UPDATE; -- nothing is archived meanwhile
  IF EXISTS (SELECT FROM reports.archived_payout p WHERE p.affiliate = customer AND p.state NOT IN ('EXITOSO', 'FALLIDO')) THEN
    RAISE object_in_use USING MESSAGE = 'a payout of the customer is in flight';
  END IF;
  what := 'events of payouts';
  UPDATE reports.event e
  SET body = e.body || jsonb_build_object('id_afiliado', pseudonym, 'referencia_pago', pseudonym)
  WHERE e.kind = 'payout' AND e.body ->> 'id_afiliado' = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'payouts in reports';
  UPDATE reports.payout p SET affiliate = pseudonym WHERE p.affiliate = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'sums of reports';
  UPDATE reports.payout_affiliate a SET affiliate = pseudonym WHERE a.affiliate = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  -- What is served says something else now, without an event.
  INSERT INTO reports.switch (epoch, version, generation, switched_by)
  SELECT epoch + 1, version, generation, 'payments erase' FROM reports.served
  WHERE EXISTS (SELECT FROM reports.payout p WHERE p.affiliate = pseudonym);
END
$$;

COMMENT ON FUNCTION reports.erase(customer text, pseudonym text) IS 'Gives an affiliate''s payouts a pseudonym, and forgets how they were referred to';

CREATE FUNCTION reports.keep_generation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NEW.position < OLD.position THEN
    RAISE EXCEPTION 'generation % goes back to %', OLD.generation, NEW.position USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state <> OLD.state
     AND (OLD.state || ' ' || NEW.state NOT IN ('building live', 'building retired', 'live retired', 'retired dropped')
          OR NEW.state = 'retired' AND OLD.generation = (SELECT generation FROM reports.served)) THEN
    RAISE EXCEPTION 'generation % is %: it cannot be %', OLD.generation, OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION reports.keep_head() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION 'the archive goes back to %', NEW.position USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION reports.keep_switch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NEW.epoch <> (SELECT max(epoch) + 1 FROM reports.switch)
     AND NOT EXISTS (SELECT FROM reports.switch WHERE epoch = NEW.epoch) THEN -- which the primary key refuses
    RAISE EXCEPTION 'epoch % is not the next one', NEW.epoch USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT EXISTS (SELECT FROM reports.generation WHERE generation = NEW.generation AND state = 'live') THEN
    RAISE EXCEPTION 'generation % does not follow the events', NEW.generation USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION saga.audit_deadline() RETURNS interval
    LANGUAGE sql STABLE
    AS $$
  SELECT CASE WHEN ops.audit_grace() = interval '0' THEN interval '0'
              ELSE ops.audit_grace()
                   + make_interval(secs => coalesce(nullif(current_setting('payments.audit_give_up_s', true), '')::integer, 900)) END;
$$;

CREATE FUNCTION saga.erase(customer text, pseudonym text) RETURNS TABLE(what text, rows bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT FROM saga.payment p WHERE p.customer_id = customer AND p.state = 'PENDING')
     OR EXISTS (SELECT FROM saga.outbox o WHERE position(to_json(customer)::text IN o.body) > 0) THEN
    RAISE object_in_use USING MESSAGE = 'a payment of the customer is in flight';
  END IF;
  what := 'payments';
  UPDATE saga.payment p SET customer_id = pseudonym, reference = NULL WHERE p.customer_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'references of payments';
  DELETE FROM saga.reference r WHERE r.customer_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'debits of unknown payments';
  UPDATE saga.orphan o SET user_id = pseudonym WHERE o.user_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'answers to payments';
  DELETE FROM saga.idempotency i WHERE position(to_json(customer)::text IN i.answer) > 0;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'webhooks about payments';
  UPDATE saga.webhook w SET data = w.data || jsonb_build_object('customerId', pseudonym, 'reference', NULL)
  WHERE w.data->>'customerId' = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
END
$$;

COMMENT ON FUNCTION saga.erase(customer text, pseudonym text) IS 'Gives a customer''s payments a pseudonym, and forgets how the customer called them';

CREATE FUNCTION saga.keep_payment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF ops.erasing() THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE'
     AND NEW.refunded >= OLD.refunded
     AND (NEW.payment_id, NEW.customer_id, NEW.reference, NEW.amount, NEW.currency, NEW.method, NEW.trace_id, NEW.created_at)
         IS NOT DISTINCT FROM
         (OLD.payment_id, OLD.customer_id, OLD.reference, OLD.amount, OLD.currency, OLD.method, OLD.trace_id, OLD.created_at)
     AND (OLD.reason IS NULL OR NEW.reason = OLD.reason)
     AND EXISTS (SELECT FROM saga.transition WHERE from_state = OLD.state AND to_state = NEW.state) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'payment % is %: this change of it is refused', OLD.payment_id, OLD.state
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION wallet.erase(customer text, pseudonym text) RETURNS TABLE(what text, rows bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT FROM wallet.outbox o WHERE position(to_json(customer)::text IN o.body) > 0) THEN
    RAISE object_in_use USING MESSAGE = 'an event about the user waits to be published';
  END IF;
  what := 'wallets';
  UPDATE wallet.wallet w SET user_id = pseudonym WHERE w.user_id = customer AND w.kind = 'customer';
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'decisions';
  UPDATE wallet.decision d
  SET user_id = pseudonym,
      seal = CASE WHEN d.seal IS NOT NULL THEN
               wallet.seal(d.payment_id::text, d.outcome, d.reason, pseudonym, d.wallet_id::text, d.amount::text, d.currency) END
  WHERE d.user_id = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'answers about wallets';
  DELETE FROM wallet.idempotency i
  WHERE position(to_json(customer)::text IN i.answer) > 0
     OR EXISTS (SELECT FROM wallet.wallet w
                WHERE w.user_id = pseudonym AND position(w.wallet_id::text IN i.answer || i.scope) > 0);
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
END
$$;

COMMENT ON FUNCTION wallet.erase(customer text, pseudonym text) IS 'Gives a user''s wallets and decisions a pseudonym';

CREATE FUNCTION wallet.keep_decision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF ops.erasing() THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' OR NEW.refunded < OLD.refunded
     OR (NEW.payment_id, NEW.outcome, NEW.reason, NEW.user_id, NEW.wallet_id, NEW.amount, NEW.currency, NEW.message_id, NEW.decided_at,
         NEW.seal)
        IS DISTINCT FROM
        (OLD.payment_id, OLD.outcome, OLD.reason, OLD.user_id, OLD.wallet_id, OLD.amount, OLD.currency, OLD.message_id, OLD.decided_at,
         OLD.seal) THEN
    RAISE EXCEPTION 'the decision on payment % is final; only its refunds may grow', OLD.payment_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION wallet.seal(VARIADIC facts text[]) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(convert_to((facts)::text, 'UTF8'::name));

CREATE TABLE campaigns.campaign (
    campaign_id uuid NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    state text DEFAULT 'CREATED'::text NOT NULL,
    budget bigint NOT NULL,
    spend bigint DEFAULT 0 NOT NULL,
    impressions bigint DEFAULT 0 NOT NULL,
    clicks bigint DEFAULT 0 NOT NULL,
    conversions bigint DEFAULT 0 NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    event_version integer DEFAULT 1 NOT NULL,
    unannounced_since timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT campaign_budget_check CHECK ((budget > 0)),
    CONSTRAINT campaign_check CHECK ((spend <= budget)),
    CONSTRAINT campaign_check1 CHECK ((ends_at > starts_at)),
    CONSTRAINT campaign_clicks_check CHECK ((clicks >= 0)),
    CONSTRAINT campaign_conversions_check CHECK ((conversions >= 0)),
    CONSTRAINT campaign_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT campaign_event_version_check CHECK ((event_version > 0)),
    CONSTRAINT campaign_impressions_check CHECK ((impressions >= 0)),
    CONSTRAINT campaign_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT campaign_spend_check CHECK ((spend >= 0)),
    CONSTRAINT campaign_state_check CHECK ((state = ANY (ARRAY['CREATED'::text, 'ACTIVE'::text, 'PAUSED'::text, 'COMPLETED'::text]))),
    CONSTRAINT campaign_version_check CHECK ((version > 0))
)
WITH (fillfactor='50');

COMMENT ON TABLE campaigns.campaign IS 'A campaign as it stands; what it spent never passes its budget';

CREATE VIEW campaigns.audit_campaign AS
 SELECT campaign.campaign_id,
    campaign.state,
    campaign.currency,
    campaign.budget,
    campaign.spend,
    campaign.impressions,
    campaign.clicks,
    campaign.conversions,
    campaign.unannounced_since,
    campaign.updated_at
   FROM campaigns.campaign;

COMMENT ON VIEW campaigns.audit_campaign IS 'Campaigns, and since when their counts are not announced; amounts in minor units';

CREATE TABLE campaigns.change (
    campaign_id uuid NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    budget bigint NOT NULL,
    trace_id uuid,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT change_version_check CHECK ((version > 0))
);

COMMENT ON TABLE campaigns.change IS 'What became of a campaign''s state and budget, a row a change; final';

CREATE TABLE campaigns.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE campaigns.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE campaigns.sighting (
    source text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    campaign_id uuid NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sighting_kind_check CHECK ((kind = ANY (ARRAY['impression'::text, 'click'::text])))
);

COMMENT ON TABLE campaigns.sighting IS 'Clicks and impressions that were counted, so that none is twice; kept for a week';

CREATE TABLE campaigns.spend (
    source text NOT NULL,
    event_id text NOT NULL,
    campaign_id uuid NOT NULL,
    outcome text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    campaign_currency text NOT NULL,
    message_id text NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT spend_amount_check CHECK ((amount > 0)),
    CONSTRAINT spend_check CHECK (((outcome = 'wrong_currency'::text) = (currency <> campaign_currency))),
    CONSTRAINT spend_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT spend_event_id_check CHECK (((length(event_id) >= 1) AND (length(event_id) <= 255))),
    CONSTRAINT spend_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT spend_outcome_check CHECK ((outcome = ANY (ARRAY['spent'::text, 'over_budget'::text, 'not_active'::text, 'wrong_currency'::text]))),
    CONSTRAINT spend_source_check CHECK (((length(source) >= 1) AND (length(source) <= 50)))
);

COMMENT ON TABLE campaigns.spend IS 'What was decided about each conversion, once; those that were spent sum to their campaign''s spend';

CREATE VIEW campaigns.audit_difference AS
 WITH spent AS (
         SELECT spend.campaign_id,
            sum(spend.amount) AS spend,
            count(*) AS conversions
           FROM campaigns.spend
          WHERE (spend.outcome = 'spent'::text)
          GROUP BY spend.campaign_id
        ), seen AS (
         SELECT sighting.campaign_id,
            count(*) FILTER (WHERE (sighting.kind = 'impression'::text)) AS impressions,
            count(*) FILTER (WHERE (sighting.kind = 'click'::text)) AS clicks
           FROM campaigns.sighting
          GROUP BY sighting.campaign_id
        ), latest AS (
         SELECT DISTINCT ON (change.campaign_id) change.campaign_id,
            change.version,
            change.state,
            change.budget
           FROM campaigns.change
          ORDER BY change.campaign_id, change.version DESC
        )
 SELECT ('campaign '::text || campaign_id) AS what,
    (((('spent '::text || COALESCE(s.spend, (0)::numeric)) || ' by '::text) || COALESCE(s.conversions, (0)::bigint)) || ' conversions of its ledger'::text) AS expected,
    COALESCE(((('spend '::text || c.spend) || ', conversions '::text) || c.conversions), 'no campaign'::text) AS found
   FROM (campaigns.campaign c
     FULL JOIN spent s USING (campaign_id))
  WHERE (((c.spend)::numeric IS DISTINCT FROM COALESCE(s.spend, (0)::numeric)) OR (c.conversions IS DISTINCT FROM COALESCE(s.conversions, (0)::bigint)))
UNION ALL
 SELECT ('campaign '::text || campaign_id) AS what,
    COALESCE((((((l.state || ', budget '::text) || l.budget) || ', version '::text) || l.version) || ' by its changes'::text), 'no changes'::text) AS expected,
    COALESCE(((((c.state || ', budget '::text) || c.budget) || ', version '::text) || c.version), 'no campaign'::text) AS found
   FROM (campaigns.campaign c
     FULL JOIN latest l USING (campaign_id))
  WHERE ((c.state IS DISTINCT FROM l.state) OR (c.budget IS DISTINCT FROM l.budget) OR (c.version IS DISTINCT FROM l.version))
UNION ALL
 SELECT ('campaign '::text || campaign_id) AS what,
    (((COALESCE(s.impressions, (0)::bigint) || ' impressions, '::text) || COALESCE(s.clicks, (0)::bigint)) || ' clicks that are known'::text) AS expected,
    COALESCE((((c.impressions || ' impressions, '::text) || c.clicks) || ' clicks'::text), 'no campaign'::text) AS found
   FROM (campaigns.campaign c
     FULL JOIN seen s USING (campaign_id))
  WHERE ((c.campaign_id IS NULL) OR (c.impressions < COALESCE(s.impressions, (0)::bigint)) OR (c.clicks < COALESCE(s.clicks, (0)::bigint)) OR ((c.created_at > (now() - campaigns.sighting_retention())) AND ((c.impressions <> COALESCE(s.impressions, (0)::bigint)) OR (c.clicks <> COALESCE(s.clicks, (0)::bigint)))))
UNION ALL
 SELECT ('campaign '::text || campaign.campaign_id) AS what,
    'spent at most its budget'::text AS expected,
    ((campaign.spend || ' of '::text) || campaign.budget) AS found
   FROM campaigns.campaign
  WHERE ((campaign.spend > campaign.budget) OR (campaign.spend < 0))
UNION ALL
 SELECT ((('conversion '::text || s.event_id) || ' of '::text) || s.source) AS what,
    'spent in its campaign''s currency'::text AS expected,
    ((s.amount || ' '::text) || s.currency) AS found
   FROM (campaigns.spend s
     LEFT JOIN campaigns.campaign c USING (campaign_id))
  WHERE ((s.outcome = 'spent'::text) AND (s.currency IS DISTINCT FROM c.currency))
UNION ALL
 SELECT ('campaign '::text || campaign.campaign_id) AS what,
    ('COMPLETED since '::text || campaign.ends_at) AS expected,
    campaign.state AS found
   FROM campaigns.campaign
  WHERE ((campaign.state <> 'COMPLETED'::text) AND (campaign.ends_at <= (now() - ops.audit_grace())))
UNION ALL
 SELECT ('campaign '::text || campaign.campaign_id) AS what,
    'announced'::text AS expected,
    ('not since '::text || campaign.unannounced_since) AS found
   FROM campaigns.campaign
  WHERE (campaign.unannounced_since <= (now() - ops.audit_grace()))
UNION ALL
 SELECT ('event '::text || outbox.message_id) AS what,
    'published'::text AS expected,
    ((outbox.event || ' in the outbox since '::text) || outbox.entered_at) AS found
   FROM campaigns.outbox
  WHERE (outbox.entered_at <= (now() - ops.audit_grace()));

COMMENT ON VIEW campaigns.audit_difference IS 'Each way in which campaigns, their changes, spends and sightings disagree';

CREATE VIEW campaigns.audit_spend AS
 SELECT spend.source,
    spend.event_id,
    spend.campaign_id,
    spend.outcome,
    spend.amount,
    spend.currency,
    spend.decided_at
   FROM campaigns.spend;

COMMENT ON VIEW campaigns.audit_spend IS 'What was decided about each conversion; amounts in minor units';

CREATE VIEW campaigns.console_campaign AS
 SELECT campaign.campaign_id,
    campaign.name,
    campaign.state,
    campaign.currency,
    campaign.budget,
    campaign.spend,
    campaign.impressions,
    campaign.clicks,
    campaign.conversions,
    campaign.starts_at,
    campaign.ends_at,
    campaign.created_at,
    campaign.updated_at
   FROM campaigns.campaign;

COMMENT ON VIEW campaigns.console_campaign IS 'Campaigns as they stand; amounts in minor units';

CREATE VIEW campaigns.console_change AS
 SELECT change.campaign_id,
    change.version,
    change.state,
    change.budget,
    change.trace_id,
    change.changed_at
   FROM campaigns.change;

COMMENT ON VIEW campaigns.console_change IS 'What became of campaigns'' states and budgets; amounts in minor units';

CREATE TABLE campaigns.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE campaigns.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE campaigns.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE campaigns.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE VIEW campaigns.lag AS
 SELECT (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(campaign.unannounced_since))), (0)::numeric), (0)::numeric))::double precision AS oldest_unannounced_age_seconds,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(campaign.ends_at) FILTER (WHERE (campaign.state <> 'COMPLETED'::text)))), (0)::numeric), (0)::numeric))::double precision AS oldest_overdue_age_seconds
   FROM campaigns.campaign
  WHERE ((campaign.unannounced_since IS NOT NULL) OR ((campaign.state <> 'COMPLETED'::text) AND (campaign.ends_at IS NOT NULL)));

COMMENT ON VIEW campaigns.lag IS 'Since when a campaign''s counts wait to be announced, and one that is over to be completed';

CREATE VIEW campaigns.report_campaign AS
 SELECT campaign.campaign_id,
    campaign.name,
    campaign.state,
    campaign.currency,
    campaign.budget,
    campaign.spend,
    campaign.impressions,
    campaign.clicks,
    campaign.conversions,
    campaign.created_at,
    campaign.ends_at
   FROM campaigns.campaign;

COMMENT ON VIEW campaigns.report_campaign IS 'Campaigns for reports; amounts in minor units';

CREATE VIEW campaigns.report_spend AS
 SELECT spend.campaign_id,
    spend.outcome,
    spend.amount,
    spend.currency,
    spend.decided_at
   FROM campaigns.spend;

COMMENT ON VIEW campaigns.report_spend IS 'What was decided about conversions; amounts in minor units';

CREATE TABLE campaigns.transition (
    from_state text NOT NULL,
    to_state text NOT NULL
);

COMMENT ON TABLE campaigns.transition IS 'Changes of state that there are; all others are refused';

CREATE TABLE collector.delivery (
    id uuid NOT NULL,
    destination text NOT NULL,
    state text NOT NULL,
    outcome text,
    reason text,
    awaited boolean NOT NULL,
    message_id uuid,
    id_pago uuid,
    version integer DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    sends integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    CONSTRAINT delivery_check CHECK (((state = ANY (ARRAY['accepted'::text, 'refused'::text])) = (outcome IS NOT NULL))),
    CONSTRAINT delivery_check1 CHECK (((state <> 'waiting'::text) OR (message_id IS NULL))),
    CONSTRAINT delivery_check2 CHECK (((state <> ALL (ARRAY['sent'::text, 'accepted'::text])) OR (message_id IS NOT NULL))),
    CONSTRAINT delivery_check3 CHECK (((state <> 'accepted'::text) OR ((outcome = 'spent'::text) = (destination = 'campaigns'::text)))),
    CONSTRAINT delivery_check4 CHECK (((state <> 'accepted'::text) OR (outcome = ANY (ARRAY['spent'::text, 'pending'::text, 'completed'::text, 'failed'::text, 'returned'::text])))),
    CONSTRAINT delivery_check5 CHECK (((state <> 'refused'::text) OR (outcome = ANY (ARRAY['over_budget'::text, 'not_active'::text, 'wrong_currency'::text, 'reference_used'::text])))),
    CONSTRAINT delivery_check6 CHECK (((outcome <> 'reference_used'::text) OR (destination = 'payouts'::text))),
    CONSTRAINT delivery_check7 CHECK ((awaited OR (state = 'sent'::text))),
    CONSTRAINT delivery_check8 CHECK (((NOT awaited) OR (state <> 'sent'::text) OR (due_at IS NOT NULL))),
    CONSTRAINT delivery_destination_check CHECK ((destination = ANY (ARRAY['campaigns'::text, 'payouts'::text]))),
    CONSTRAINT delivery_outcome_check CHECK ((outcome = ANY (ARRAY['spent'::text, 'pending'::text, 'completed'::text, 'failed'::text, 'returned'::text, 'over_budget'::text, 'not_active'::text, 'wrong_currency'::text, 'reference_used'::text]))),
    CONSTRAINT delivery_reason_check CHECK ((length(reason) <= 200)),
    CONSTRAINT delivery_sends_check CHECK ((sends >= 0)),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'accepted'::text, 'refused'::text]))),
    CONSTRAINT delivery_version_check CHECK ((version >= 0))
)
PARTITION BY RANGE (id);

COMMENT ON TABLE collector.delivery IS 'An event on its way to a destination, and what became of it there';

CREATE TABLE collector.event (
    id uuid NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    trace_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT event_type_check CHECK ((type = ANY (ARRAY['click'::text, 'impression'::text, 'conversion'::text, 'payment'::text])))
)
PARTITION BY RANGE (id);

COMMENT ON TABLE collector.event IS 'A partner''s event, as it was first told; final';

CREATE TABLE collector.event_key (
    source text NOT NULL,
    event_id text NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    CONSTRAINT event_key_event_id_check CHECK (((length(event_id) >= 1) AND (length(event_id) <= 255))),
    CONSTRAINT event_key_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT event_key_source_check CHECK ((source ~ '^[a-z0-9][a-z0-9_-]{0,49}$'::text))
);

COMMENT ON TABLE collector.event_key IS 'The event that a partner told under an id: one';

CREATE VIEW collector.audit_event AS
 SELECT k.source,
    k.event_id,
    k.id,
    e.type,
    e.received_at,
    (d.data ->> 'campaign_id'::text) AS campaign_id,
    (d.data ->> 'id_afiliado'::text) AS id_afiliado,
    (d.data ->> 'moneda'::text) AS moneda,
    collector.minor((d.data ->> 'spend'::text)) AS spend,
    collector.minor(COALESCE((d.data ->> 'commission'::text), (d.data ->> 'monto'::text))) AS payout,
        CASE e.type
            WHEN 'conversion'::text THEN ((('conversion:'::text || k.source) || ':'::text) || k.event_id)
            ELSE (d.data ->> 'referencia_pago'::text)
        END AS referencia_pago,
    c.state AS campaigns_state,
    c.outcome AS campaigns_outcome,
    c.changed_at AS campaigns_at,
    p.state AS payouts_state,
    p.outcome AS payouts_outcome,
    p.changed_at AS payouts_at,
    p.id_pago,
    (p.message_id IS NOT NULL) AS payout_asked
   FROM ((((collector.event_key k
     JOIN collector.event e USING (id))
     CROSS JOIN LATERAL ( SELECT ((e.body)::jsonb -> 'data'::text) AS data) d)
     LEFT JOIN collector.delivery c ON (((c.id = k.id) AND (c.destination = 'campaigns'::text))))
     LEFT JOIN collector.delivery p ON (((p.id = k.id) AND (p.destination = 'payouts'::text))));

COMMENT ON VIEW collector.audit_event IS 'Each event, what it asks of whom, and what became of it; amounts in minor units';

CREATE TABLE collector.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE collector.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE collector.payout (
    id_afiliado text NOT NULL,
    referencia_pago text NOT NULL,
    id uuid NOT NULL,
    amount bigint NOT NULL,
    moneda text NOT NULL,
    CONSTRAINT payout_amount_check CHECK ((amount > 0)),
    CONSTRAINT payout_id_afiliado_check CHECK (((length(id_afiliado) >= 1) AND (length(id_afiliado) <= 255))),
    CONSTRAINT payout_moneda_check CHECK ((moneda = ANY (ARRAY['USD'::text, 'EUR'::text, 'COP'::text]))),
    CONSTRAINT payout_referencia_pago_check CHECK (((length(referencia_pago) >= 1) AND (length(referencia_pago) <= 255)))
);

COMMENT ON TABLE collector.payout IS 'Payouts that were asked for; final';

CREATE VIEW collector.audit_difference AS
 SELECT ('event '::text || COALESCE(((k.source || '/'::text) || k.event_id), (e.id)::text)) AS what,
    'an event as it was first told'::text AS expected,
        CASE
            WHEN (e.id IS NULL) THEN 'no event'::text
            WHEN (k.id IS NULL) THEN 'no key'::text
            ELSE 'another one'::text
        END AS found
   FROM (collector.event_key k
     FULL JOIN collector.event e USING (id))
  WHERE ((k.id IS NULL) OR (e.id IS NULL) OR (k.fingerprint <> sha256(convert_to(e.body, 'UTF8'::name))) OR (k.source IS DISTINCT FROM ((e.body)::jsonb ->> 'source'::text)) OR (k.event_id IS DISTINCT FROM ((e.body)::jsonb ->> 'event_id'::text)) OR (e.type IS DISTINCT FROM ((e.body)::jsonb ->> 'type'::text)))
UNION ALL
 SELECT ('event '::text || e.id) AS what,
    ('deliveries to '::text || wanted.list) AS expected,
    ('deliveries to '::text || COALESCE(there.list, 'nobody'::text)) AS found
   FROM ((collector.event e
     CROSS JOIN LATERAL ( SELECT
                CASE e.type
                    WHEN 'conversion'::text THEN 'campaigns, payouts'::text
                    WHEN 'payment'::text THEN 'payouts'::text
                    ELSE 'campaigns'::text
                END AS list) wanted)
     CROSS JOIN LATERAL ( SELECT string_agg(d.destination, ', '::text ORDER BY d.destination) AS list
           FROM collector.delivery d
          WHERE (d.id = e.id)) there)
  WHERE (there.list IS DISTINCT FROM wanted.list)
UNION ALL
 SELECT ((('delivery of '::text || d.id) || ' to '::text) || d.destination) AS what,
    'an event'::text AS expected,
    'none'::text AS found
   FROM collector.delivery d
  WHERE (NOT (EXISTS ( SELECT
           FROM collector.event e
          WHERE (e.id = d.id))))
UNION ALL
 SELECT ((('commission of '::text || audit_event.source) || '/'::text) || audit_event.event_id) AS what,
        CASE COALESCE(audit_event.campaigns_outcome, ''::text)
            WHEN ''::text THEN 'waiting'::text
            WHEN 'spent'::text THEN 'asked for'::text
            ELSE ('refused, '::text || audit_event.campaigns_outcome)
        END AS expected,
    (audit_event.payouts_state || COALESCE((', '::text || audit_event.payouts_outcome), ''::text)) AS found
   FROM collector.audit_event
  WHERE ((audit_event.type = 'conversion'::text) AND
        CASE COALESCE(audit_event.campaigns_outcome, ''::text)
            WHEN ''::text THEN (audit_event.payouts_state <> 'waiting'::text)
            WHEN 'spent'::text THEN (NOT audit_event.payout_asked)
            ELSE ((audit_event.payouts_state <> 'refused'::text) OR (audit_event.payouts_outcome <> audit_event.campaigns_outcome))
        END)
UNION ALL
 SELECT ((('payout '::text || COALESCE(p.referencia_pago, a.referencia_pago)) || ' of '::text) || COALESCE(p.id_afiliado, a.id_afiliado)) AS what,
    COALESCE(((a.payout || ' '::text) || a.moneda), 'no payout'::text) AS expected,
    COALESCE(((p.amount || ' '::text) || p.moneda), 'no payout'::text) AS found
   FROM (collector.payout p
     FULL JOIN ( SELECT audit_event.source,
            audit_event.event_id,
            audit_event.id,
            audit_event.type,
            audit_event.received_at,
            audit_event.campaign_id,
            audit_event.id_afiliado,
            audit_event.moneda,
            audit_event.spend,
            audit_event.payout,
            audit_event.referencia_pago,
            audit_event.campaigns_state,
            audit_event.campaigns_outcome,
            audit_event.campaigns_at,
            audit_event.payouts_state,
            audit_event.payouts_outcome,
            audit_event.payouts_at,
            audit_event.id_pago,
            audit_event.payout_asked
           FROM collector.audit_event
          WHERE audit_event.payout_asked) a USING (id))
  WHERE ((p.id_afiliado IS DISTINCT FROM a.id_afiliado) OR (p.referencia_pago IS DISTINCT FROM a.referencia_pago) OR (p.amount IS DISTINCT FROM a.payout) OR (p.moneda IS DISTINCT FROM a.moneda))
UNION ALL
 SELECT ('event '::text || outbox.message_id) AS what,
    'published'::text AS expected,
    ((outbox.event || ' in the outbox since '::text) || outbox.entered_at) AS found
   FROM collector.outbox
  WHERE (outbox.entered_at <= (now() - ops.audit_grace()));

COMMENT ON VIEW collector.audit_difference IS 'Each way in which events, keys, deliveries and payouts disagree';

CREATE VIEW collector.audit_payout AS
 SELECT p.id_afiliado,
    p.referencia_pago,
    p.amount,
    p.moneda,
    d.state,
    d.outcome,
    d.id_pago,
    d.changed_at
   FROM (collector.payout p
     JOIN collector.delivery d ON (((d.id = p.id) AND (d.destination = 'payouts'::text))));

COMMENT ON VIEW collector.audit_payout IS 'Payouts that were asked for, and what is known of each';

CREATE VIEW collector.console_event AS
 SELECT event.id,
    event.type,
    event.received_at
   FROM collector.event;

COMMENT ON VIEW collector.console_event IS 'Partners'' events, without what they tell';

CREATE TABLE collector.delivery_default (
    id uuid NOT NULL,
    destination text NOT NULL,
    state text NOT NULL,
    outcome text,
    reason text,
    awaited boolean NOT NULL,
    message_id uuid,
    id_pago uuid,
    version integer DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    sends integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    CONSTRAINT delivery_check CHECK (((state = ANY (ARRAY['accepted'::text, 'refused'::text])) = (outcome IS NOT NULL))),
    CONSTRAINT delivery_check1 CHECK (((state <> 'waiting'::text) OR (message_id IS NULL))),
    CONSTRAINT delivery_check2 CHECK (((state <> ALL (ARRAY['sent'::text, 'accepted'::text])) OR (message_id IS NOT NULL))),
    CONSTRAINT delivery_check3 CHECK (((state <> 'accepted'::text) OR ((outcome = 'spent'::text) = (destination = 'campaigns'::text)))),
    CONSTRAINT delivery_check4 CHECK (((state <> 'accepted'::text) OR (outcome = ANY (ARRAY['spent'::text, 'pending'::text, 'completed'::text, 'failed'::text, 'returned'::text])))),
    CONSTRAINT delivery_check5 CHECK (((state <> 'refused'::text) OR (outcome = ANY (ARRAY['over_budget'::text, 'not_active'::text, 'wrong_currency'::text, 'reference_used'::text])))),
    CONSTRAINT delivery_check6 CHECK (((outcome <> 'reference_used'::text) OR (destination = 'payouts'::text))),
    CONSTRAINT delivery_check7 CHECK ((awaited OR (state = 'sent'::text))),
    CONSTRAINT delivery_check8 CHECK (((NOT awaited) OR (state <> 'sent'::text) OR (due_at IS NOT NULL))),
    CONSTRAINT delivery_destination_check CHECK ((destination = ANY (ARRAY['campaigns'::text, 'payouts'::text]))),
    CONSTRAINT delivery_outcome_check CHECK ((outcome = ANY (ARRAY['spent'::text, 'pending'::text, 'completed'::text, 'failed'::text, 'returned'::text, 'over_budget'::text, 'not_active'::text, 'wrong_currency'::text, 'reference_used'::text]))),
    CONSTRAINT delivery_reason_check CHECK ((length(reason) <= 200)),
    CONSTRAINT delivery_sends_check CHECK ((sends >= 0)),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'accepted'::text, 'refused'::text]))),
    CONSTRAINT delivery_version_check CHECK ((version >= 0))
)
WITH (fillfactor='80');

CREATE TABLE collector.event_default (
    id uuid NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    trace_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT event_type_check CHECK ((type = ANY (ARRAY['click'::text, 'impression'::text, 'conversion'::text, 'payment'::text])))
);

CREATE TABLE collector.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE collector.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE collector.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE collector.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE VIEW collector.open_delivery AS
 SELECT wanted.destination,
    count(d.id) AS events,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(d.changed_at))), (0)::numeric), (0)::numeric))::double precision AS oldest_age_seconds
   FROM (unnest(ARRAY['campaigns'::text, 'payouts'::text]) wanted(destination)
     LEFT JOIN collector.delivery d ON (((d.destination = wanted.destination) AND d.awaited AND (d.outcome IS NULL) AND (d.state = 'sent'::text))))
  GROUP BY wanted.destination;

COMMENT ON VIEW collector.open_delivery IS 'What each destination has not answered, and since when';

CREATE TABLE collector.rate_limit (
    key character varying(255) NOT NULL,
    points integer DEFAULT 0 NOT NULL,
    expire double precision
)
WITH (fillfactor='50');

COMMENT ON TABLE collector.rate_limit IS 'What each caller has used of its limits in the minute under way';

CREATE TABLE collector.signed_request (
    source text NOT NULL,
    webhook_id text NOT NULL,
    signed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE collector.signed_request IS 'Signed requests that were taken: the same again is a replay';

CREATE TABLE console.action (
    action_id uuid DEFAULT ops.uuid_v7() NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    asked json NOT NULL,
    thing text NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    result json,
    failure json,
    who text NOT NULL,
    why text NOT NULL,
    trace_id uuid NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    leased_until timestamp with time zone NOT NULL,
    CONSTRAINT action_check CHECK (((state = 'running'::text) = (ended_at IS NULL))),
    CONSTRAINT action_check1 CHECK (((state = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT action_check2 CHECK (((state = 'done'::text) = (result IS NOT NULL))),
    CONSTRAINT action_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT action_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510))),
    CONSTRAINT action_kind_check CHECK (((length(kind) >= 1) AND (length(kind) <= 50))),
    CONSTRAINT action_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text]))),
    CONSTRAINT action_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 255))),
    CONSTRAINT action_thing_check CHECK (((length(thing) >= 1) AND (length(thing) <= 300))),
    CONSTRAINT action_who_check CHECK (((length(who) >= 1) AND (length(who) <= 200))),
    CONSTRAINT action_why_check CHECK (((length(why) >= 1) AND (length(why) <= 200)))
);

COMMENT ON TABLE console.action IS 'What was done from the console: who, what and why; final once it has ended';

CREATE TABLE etl.chunk (
    run_id text NOT NULL,
    chunk_no integer NOT NULL,
    month date NOT NULL,
    state text NOT NULL,
    first_txn_id bigint NOT NULL,
    txn_rows integer NOT NULL,
    accepted_key integer,
    digest_a numeric(20,0),
    digest_b numeric(20,0),
    accepted integer,
    repaired integer,
    rejected integer,
    released_chunk integer,
    worker text NOT NULL,
    copy_bytes bigint,
    stage_ms integer,
    clean_ms integer,
    staged_at timestamp with time zone,
    cleaned_at timestamp with time zone,
    CONSTRAINT chunk_chunk_no_check CHECK ((chunk_no >= 0)),
    CONSTRAINT chunk_state_check CHECK ((state = ANY (ARRAY['staged'::text, 'cleaned'::text])))
);

COMMENT ON COLUMN etl.chunk.accepted_key IS 'Rows the generator says will be accepted';

COMMENT ON COLUMN etl.chunk.released_chunk IS 'The chunk that this one''s completion sent out, so that a redelivery sends the same';

CREATE TABLE etl.chunk_class (
    run_id text NOT NULL,
    chunk_no integer NOT NULL,
    class text NOT NULL,
    outcome text NOT NULL,
    injected integer DEFAULT 0 NOT NULL,
    found integer DEFAULT 0 NOT NULL,
    CONSTRAINT chunk_class_outcome_check CHECK ((outcome = ANY (ARRAY['repaired'::text, 'rejected'::text, 'fraud'::text])))
);

COMMENT ON TABLE etl.chunk_class IS 'The answer key (injected, written by stage) beside what clean found, per chunk and class';

COMMENT ON COLUMN etl.chunk_class.found IS 'For fraud classes always 0: nothing in the pipeline looks for fraud yet';

CREATE TABLE etl.failure (
    run_id text NOT NULL,
    step text NOT NULL,
    chunk_no integer,
    month date,
    code text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    message_id text,
    worker text NOT NULL,
    failed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT failure_attempts_check CHECK ((attempts > 0)),
    CONSTRAINT failure_check CHECK (((chunk_no IS NOT NULL) = (step = ANY (ARRAY['stage'::text, 'clean'::text])))),
    CONSTRAINT failure_check1 CHECK (((month IS NOT NULL) = (step = 'agg'::text))),
    CONSTRAINT failure_step_check CHECK ((step = ANY (ARRAY['plan'::text, 'stage'::text, 'clean'::text, 'agg'::text])))
);

COMMENT ON TABLE etl.failure IS 'The last dead letter of each step; written by the worker that made it, if the database is there then';

COMMENT ON COLUMN etl.failure.message_id IS 'Of the dead letter; null when its sender gave it none';

CREATE TABLE etl.run (
    run_id text NOT NULL,
    state text NOT NULL,
    txn_rows bigint NOT NULL,
    seed bigint NOT NULL,
    from_on date NOT NULL,
    to_on date NOT NULL,
    dirt_rate double precision NOT NULL,
    fraud_rate double precision NOT NULL,
    chunk_rows integer NOT NULL,
    first_txn_id bigint NOT NULL,
    generator_version integer NOT NULL,
    window_chunks integer NOT NULL,
    chunks_total integer,
    next_chunk integer DEFAULT 0 NOT NULL,
    months_total integer,
    months_done integer DEFAULT 0 NOT NULL,
    begun_by_message boolean DEFAULT false NOT NULL,
    redeliveries integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    fraud_difficulty text DEFAULT 'easy'::text NOT NULL,
    CONSTRAINT run_check CHECK ((to_on > from_on)),
    CONSTRAINT run_chunk_rows_check CHECK ((chunk_rows > 0)),
    CONSTRAINT run_dirt_rate_check CHECK (((dirt_rate >= (0)::double precision) AND (dirt_rate <= (1)::double precision))),
    CONSTRAINT run_first_txn_id_check CHECK ((first_txn_id > 0)),
    CONSTRAINT run_fraud_difficulty_check CHECK ((fraud_difficulty = ANY (ARRAY['easy'::text, 'medium'::text, 'hard'::text]))),
    CONSTRAINT run_fraud_rate_check CHECK (((fraud_rate >= (0)::double precision) AND (fraud_rate <= (1)::double precision))),
    CONSTRAINT run_run_id_check CHECK ((run_id ~ '^r[0-9]{1,9}$'::text)),
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'running'::text, 'done'::text, 'cancelled'::text]))),
    CONSTRAINT run_txn_rows_check CHECK ((txn_rows >= 0)),
    CONSTRAINT run_window_chunks_check CHECK ((window_chunks > 0))
);

COMMENT ON TABLE etl.run IS 'One request for transactions: its spec and its progress';

CREATE TABLE etl.run_month (
    run_id text NOT NULL,
    month date NOT NULL,
    txn_rows bigint NOT NULL,
    chunks_total integer NOT NULL,
    chunks_done integer DEFAULT 0 NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    agg_ms integer,
    finished_at timestamp with time zone,
    CONSTRAINT run_month_check CHECK ((chunks_done <= chunks_total)),
    CONSTRAINT run_month_state_check CHECK ((state = ANY (ARRAY['open'::text, 'done'::text])))
);

COMMENT ON TABLE etl.run_month IS 'A month of a run: agg is due when all its chunks are cleaned';

CREATE TABLE ops.dead_letter_action (
    action_id bigint NOT NULL,
    action text NOT NULL,
    queue text NOT NULL,
    letter_id text,
    error_code text,
    os_user text NOT NULL,
    host text NOT NULL,
    db_role text DEFAULT SESSION_USER NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    state text DEFAULT 'started'::text NOT NULL,
    letters_total integer NOT NULL,
    letters_selected integer DEFAULT 0 NOT NULL,
    letters_done integer DEFAULT 0 NOT NULL,
    failure text,
    CONSTRAINT dead_letter_action_action_check CHECK ((action = ANY (ARRAY['replay'::text, 'purge'::text]))),
    CONSTRAINT dead_letter_action_check CHECK ((letters_done <= letters_selected)),
    CONSTRAINT dead_letter_action_check1 CHECK (((letter_id IS NULL) OR (error_code IS NULL))),
    CONSTRAINT dead_letter_action_check2 CHECK (((state = 'started'::text) = (finished_at IS NULL))),
    CONSTRAINT dead_letter_action_letters_total_check CHECK ((letters_total >= 0)),
    CONSTRAINT dead_letter_action_state_check CHECK ((state = ANY (ARRAY['started'::text, 'completed'::text, 'failed'::text])))
);

COMMENT ON TABLE ops.dead_letter_action IS 'Each replay and purge of dead letters: who, when, which, how many';

COMMENT ON COLUMN ops.dead_letter_action.letter_id IS 'Only this letter was meant; null together with error_code: all were';

COMMENT ON COLUMN ops.dead_letter_action.error_code IS 'Only letters with this code were meant';

COMMENT ON COLUMN ops.dead_letter_action.state IS 'One that stays started was killed: its letters say how far it got';

COMMENT ON COLUMN ops.dead_letter_action.letters_total IS 'In the queue when it began; later ones are left alone';

CREATE TABLE ops.dead_letter_action_letter (
    action_id bigint NOT NULL,
    letter_no integer NOT NULL,
    letter_id text NOT NULL,
    error_code text NOT NULL,
    last_failed_at timestamp with time zone,
    body_bytes integer NOT NULL,
    body_sha256 text NOT NULL,
    body_preview text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT dead_letter_action_letter_letter_no_check CHECK ((letter_no > 0))
);

COMMENT ON TABLE ops.dead_letter_action_letter IS 'Letters an action dealt with; written after a replay''s copy is confirmed and before the letter leaves the queue';

CREATE VIEW etl.standing_failure AS
 SELECT f.run_id,
    f.step,
    f.chunk_no,
    f.month,
    f.code,
    f.reason,
    f.attempts,
    f.message_id,
    f.worker,
    f.failed_at
   FROM (((etl.failure f
     JOIN etl.run r ON ((r.run_id = f.run_id)))
     LEFT JOIN etl.chunk c ON (((c.run_id = f.run_id) AND (c.chunk_no = f.chunk_no))))
     LEFT JOIN etl.run_month m ON (((m.run_id = f.run_id) AND (m.month = f.month))))
  WHERE (
        CASE f.step
            WHEN 'plan'::text THEN (r.state = 'planned'::text)
            WHEN 'stage'::text THEN ((r.state = 'running'::text) AND (f.chunk_no < r.next_chunk) AND (c.state IS NULL))
            WHEN 'clean'::text THEN ((r.state = 'running'::text) AND (c.state = 'staged'::text))
            ELSE ((r.state = 'running'::text) AND (m.state = 'open'::text) AND (m.chunks_done = m.chunks_total))
        END AND (NOT (EXISTS ( SELECT 1
           FROM (ops.dead_letter_action_letter l
             JOIN ops.dead_letter_action a ON ((a.action_id = l.action_id)))
          WHERE ((a.action = 'replay'::text) AND (l.letter_id = f.message_id) AND (l.recorded_at > f.failed_at))))));

COMMENT ON VIEW etl.standing_failure IS 'What keeps an unfinished run from going on';

CREATE VIEW etl.console_failure AS
 SELECT standing_failure.run_id,
    standing_failure.step,
    standing_failure.chunk_no,
    standing_failure.month,
    standing_failure.code,
    standing_failure.reason,
    standing_failure.attempts,
    standing_failure.message_id,
    standing_failure.failed_at
   FROM etl.standing_failure;

COMMENT ON VIEW etl.console_failure IS 'What keeps unfinished runs from going on';

CREATE TABLE etl.month (
    month date NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT month_month_check CHECK ((EXTRACT(day FROM month) = (1)::numeric))
);

COMMENT ON TABLE etl.month IS 'Published months: the leaves of txn';

CREATE VIEW etl.console_month AS
 SELECT m.month,
    m.published_at,
    COALESCE(c.accepted, (0)::bigint) AS txn_rows,
    COALESCE(c.runs, '{}'::text[]) AS runs,
    COALESCE(size.bytes, (0)::bigint) AS bytes
   FROM (((etl.month m
     CROSS JOIN LATERAL ( SELECT to_regclass(format('payments.%I'::text, etl.leaf_name(m.month))) AS leaf) named)
     CROSS JOIN LATERAL ( SELECT ((sum((pg_class.relpages)::bigint) * ((current_setting('block_size'::text))::bigint)::numeric))::bigint AS bytes
           FROM (pg_class
             JOIN ( SELECT (named.leaf)::oid AS oid
                UNION ALL
                 SELECT pg_index.indexrelid
                   FROM pg_index
                  WHERE (pg_index.indrelid = (named.leaf)::oid)) part USING (oid))) size)
     LEFT JOIN ( SELECT d.month,
            (sum(per_run.accepted))::bigint AS accepted,
            array_agg(d.run_id ORDER BY d.run_id) AS runs
           FROM (etl.run_month d
             JOIN ( SELECT chunk.run_id,
                    chunk.month,
                    sum(chunk.accepted) AS accepted
                   FROM etl.chunk
                  GROUP BY chunk.run_id, chunk.month) per_run USING (run_id, month))
          WHERE (d.state = 'done'::text)
          GROUP BY d.month) c USING (month));

COMMENT ON VIEW etl.console_month IS 'Published months: how many transactions, of which runs, how large';

CREATE VIEW etl.run_progress AS
 SELECT r.run_id,
    r.state,
    r.txn_rows,
    r.first_txn_id,
    r.created_at,
    r.finished_at,
    COALESCE(r.chunks_total, 0) AS chunks_total,
    c.chunks_staged,
    c.chunks_cleaned,
    COALESCE(r.months_total, 0) AS months_total,
    r.months_done,
    c.rows_staged,
    c.rows_cleaned,
    m.rows_aggregated,
    c.accepted,
    c.repaired,
    c.rejected,
    c.stage_s,
    c.clean_s,
    m.agg_s,
    p.elapsed_s,
    p.share,
    p.idle_s,
        CASE
            WHEN (r.state = ANY (ARRAY['done'::text, 'cancelled'::text])) THEN (0)::double precision
            WHEN (p.share > (0)::double precision) THEN ((p.elapsed_s * ((1)::double precision - p.share)) / p.share)
            ELSE NULL::double precision
        END AS eta_s
   FROM (((etl.run r
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (chunk.state = 'staged'::text)) AS chunks_staged,
            count(*) FILTER (WHERE (chunk.state = 'cleaned'::text)) AS chunks_cleaned,
            COALESCE(sum(chunk.txn_rows), (0)::bigint) AS rows_staged,
            COALESCE(sum(chunk.txn_rows) FILTER (WHERE (chunk.state = 'cleaned'::text)), (0)::bigint) AS rows_cleaned,
            COALESCE(sum(chunk.accepted), (0)::bigint) AS accepted,
            COALESCE(sum(chunk.repaired), (0)::bigint) AS repaired,
            COALESCE(sum(chunk.rejected), (0)::bigint) AS rejected,
            ((COALESCE(sum(chunk.stage_ms), (0)::bigint))::double precision / (1000)::double precision) AS stage_s,
            ((COALESCE(sum(chunk.clean_ms), (0)::bigint))::double precision / (1000)::double precision) AS clean_s,
            GREATEST(max(chunk.staged_at), max(chunk.cleaned_at)) AS moved_at
           FROM etl.chunk
          WHERE (chunk.run_id = r.run_id)) c)
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(run_month.txn_rows) FILTER (WHERE (run_month.state = 'done'::text)), (0)::numeric))::bigint AS rows_aggregated,
            ((COALESCE(sum(run_month.agg_ms), (0)::bigint))::double precision / (1000)::double precision) AS agg_s,
            max(run_month.finished_at) AS moved_at
           FROM etl.run_month
          WHERE (run_month.run_id = r.run_id)) m)
     CROSS JOIN LATERAL ( SELECT (EXTRACT(epoch FROM (COALESCE(r.finished_at, clock_timestamp()) - COALESCE(r.started_at, r.created_at))))::double precision AS elapsed_s,
                CASE
                    WHEN ((r.state = 'done'::text) OR (r.txn_rows = 0)) THEN (1)::double precision
                    ELSE ((((c.rows_staged + c.rows_cleaned) + m.rows_aggregated))::double precision / ((3 * r.txn_rows))::double precision)
                END AS share,
            (
                CASE
                    WHEN (r.state = ANY (ARRAY['done'::text, 'cancelled'::text])) THEN (0)::numeric
                    ELSE EXTRACT(epoch FROM (clock_timestamp() - GREATEST(r.created_at, r.started_at, c.moved_at, m.moved_at)))
                END)::double precision AS idle_s) p);

COMMENT ON VIEW etl.run_progress IS 'How far each run has got, and how long it will take';

CREATE VIEW etl.console_run AS
 SELECT p.run_id,
    p.state,
    p.txn_rows,
    r.seed,
    r.from_on,
    r.to_on,
    r.dirt_rate,
    r.fraud_rate,
    r.fraud_difficulty,
    r.chunk_rows,
    p.first_txn_id,
    p.created_at,
    p.finished_at,
    p.chunks_total,
    p.chunks_staged,
    p.chunks_cleaned,
    p.months_total,
    p.months_done,
    p.rows_staged,
    p.rows_cleaned,
    p.rows_aggregated,
    p.accepted,
    p.repaired,
    p.rejected,
    p.stage_s,
    p.clean_s,
    p.agg_s,
    p.elapsed_s,
    p.share,
    p.idle_s,
    p.eta_s
   FROM (etl.run_progress p
     JOIN etl.run r USING (run_id));

COMMENT ON VIEW etl.console_run IS 'Runs: what was asked for, and how far they have got';

CREATE VIEW etl.console_run_month AS
 SELECT run_month.run_id,
    run_month.month,
    run_month.txn_rows,
    run_month.chunks_total,
    run_month.chunks_done,
    run_month.state,
    run_month.finished_at
   FROM etl.run_month;

COMMENT ON VIEW etl.console_run_month IS 'Months of runs';

CREATE TABLE etl.worker (
    worker_id text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    reaped_at timestamp with time zone
);

COMMENT ON TABLE etl.worker IS 'Workers by their last sign of life; one that is silent for longer than its lease loses its connections';

CREATE VIEW etl.console_worker AS
 SELECT worker.worker_id,
    worker.started_at,
    worker.heartbeat_at,
    (worker.reaped_at IS NOT NULL) AS reaped
   FROM etl.worker
  WHERE (worker.heartbeat_at > (now() - '01:00:00'::interval));

COMMENT ON VIEW etl.console_worker IS 'Workers that were alive within the hour';

CREATE TABLE etl.population (
    only_row boolean DEFAULT true NOT NULL,
    seed bigint NOT NULL,
    accounts integer NOT NULL,
    merchants integer NOT NULL,
    terminals integer NOT NULL,
    seeded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT population_only_row_check CHECK (only_row)
);

COMMENT ON TABLE etl.population IS 'Which dimensions were seeded; the generator refers to just these';

CREATE TABLE ingest.amount_day (
    day date NOT NULL,
    provider text NOT NULL,
    currency text NOT NULL,
    events bigint NOT NULL,
    round bigint NOT NULL,
    CONSTRAINT amount_day_check CHECK (((round >= 0) AND (round <= events))),
    CONSTRAINT amount_day_events_check CHECK ((events >= 0))
)
WITH (fillfactor='70');

COMMENT ON TABLE ingest.amount_day IS 'How many amounts end in 00: nearly all where major units were taken for minor ones';

CREATE TABLE ingest.body (
    id uuid NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    is_text boolean NOT NULL,
    hint text,
    source text NOT NULL,
    source_key text,
    received_at timestamp with time zone NOT NULL,
    merchant text,
    country text,
    CONSTRAINT body_country_check CHECK ((length(country) <= 255)),
    CONSTRAINT body_hint_check CHECK ((length(hint) <= 255)),
    CONSTRAINT body_merchant_check CHECK ((length(merchant) <= 255)),
    CONSTRAINT body_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT body_source_check CHECK ((source ~ '^[a-z][a-z0-9_-]{0,49}$'::text)),
    CONSTRAINT body_source_key_check CHECK (((length(source_key) >= 1) AND (length(source_key) <= 255)))
)
PARTITION BY RANGE (id);

COMMENT ON TABLE ingest.body IS 'What was sent, of which at least one event was new; final';

CREATE TABLE ingest.event (
    id uuid NOT NULL,
    body_id uuid NOT NULL,
    place integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    provider text,
    rule text,
    method text NOT NULL,
    confidence double precision NOT NULL,
    status text NOT NULL,
    code text,
    detail text,
    reason text,
    undoes text,
    amount numeric,
    amount_minor bigint,
    currency text,
    amount_usd numeric,
    fx_day date,
    merchant text,
    country text,
    occurred_at timestamp with time zone,
    day date GENERATED ALWAYS AS (((COALESCE(occurred_at, received_at) AT TIME ZONE 'UTC'::text))::date) STORED NOT NULL,
    provider_event_id text,
    payment_ref text,
    dedup_key text,
    metadata jsonb NOT NULL,
    provenance jsonb NOT NULL,
    latency_ms integer NOT NULL,
    repeats uuid,
    attempts smallint DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    CONSTRAINT event_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT event_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT event_amount_usd_check CHECK ((amount_usd >= (0)::numeric)),
    CONSTRAINT event_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT event_check CHECK ((repeats <> id)),
    CONSTRAINT event_check1 CHECK (((status = 'UNPROCESSED'::text) = (code IS NOT NULL))),
    CONSTRAINT event_check2 CHECK (((code IS NULL) = (detail IS NULL))),
    CONSTRAINT event_check3 CHECK (((reason IS NULL) OR (status <> 'UNPROCESSED'::text))),
    CONSTRAINT event_check4 CHECK (((amount_minor IS NULL) OR ((amount IS NOT NULL) AND (currency IS NOT NULL)))),
    CONSTRAINT event_check5 CHECK (((retry_at IS NULL) OR (status = 'UNPROCESSED'::text))),
    CONSTRAINT event_check6 CHECK (((amount_usd IS NULL) OR ((amount IS NOT NULL) AND (currency IS NOT NULL) AND ((currency = 'USD'::text) = (fx_day IS NULL))))),
    CONSTRAINT event_check7 CHECK ((((amount_usd IS NULL) AND (fx_day IS NULL)) OR (amount_usd IS NOT NULL))),
    CONSTRAINT event_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT event_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT event_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT event_dedup_key_check CHECK (((length(dedup_key) >= 1) AND (length(dedup_key) <= 255))),
    CONSTRAINT event_latency_ms_check CHECK ((latency_ms >= 0)),
    CONSTRAINT event_method_check CHECK ((method = ANY (ARRAY['rule'::text, 'learned'::text, 'ai'::text, 'none'::text]))),
    CONSTRAINT event_payment_ref_check CHECK (((length(payment_ref) >= 1) AND (length(payment_ref) <= 255))),
    CONSTRAINT event_place_check CHECK ((place >= 0)),
    CONSTRAINT event_provider_check CHECK (((length(provider) >= 1) AND (length(provider) <= 50))),
    CONSTRAINT event_provider_event_id_check CHECK ((length(provider_event_id) <= 255)),
    CONSTRAINT event_status_check CHECK ((status = ANY (ARRAY['APPROVED'::text, 'PENDING'::text, 'DECLINED'::text, 'FAILED'::text, 'REFUNDED'::text, 'CHARGEBACK'::text, 'UNPROCESSED'::text])))
)
PARTITION BY RANGE (id);

COMMENT ON TABLE ingest.event IS 'One payment''s event out of a body, as it was understood';

CREATE TABLE ingest.event_day (
    day date NOT NULL,
    provider text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    code text NOT NULL,
    method text NOT NULL,
    events bigint NOT NULL,
    latency_ms bigint NOT NULL,
    CONSTRAINT event_day_events_check CHECK ((events >= 0)),
    CONSTRAINT event_day_latency_ms_check CHECK ((latency_ms >= 0))
)
WITH (fillfactor='70');

COMMENT ON TABLE ingest.event_day IS 'How many events there are of each kind, by the UTC day on which they happened';

CREATE TABLE ingest.event_key (
    scope text NOT NULL,
    key text NOT NULL,
    id uuid NOT NULL,
    CONSTRAINT event_key_key_check CHECK (((length(key) >= 1) AND (length(key) <= 280))),
    CONSTRAINT event_key_scope_check CHECK ((length(scope) <= 60))
);

COMMENT ON TABLE ingest.event_key IS 'The event that came first under a name';

CREATE TABLE ingest.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE ingest.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE ingest.payment (
    provider text NOT NULL,
    payment_ref text NOT NULL,
    status text NOT NULL,
    events integer NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT payment_events_check CHECK ((events > 0))
)
WITH (fillfactor='80');

COMMENT ON TABLE ingest.payment IS 'How each payment stands, by all of its events, whatever the order in which they came';

CREATE VIEW ingest.payment_status AS
 SELECT DISTINCT ON (e.provider, e.payment_ref) e.provider,
    e.payment_ref,
    e.status
   FROM ( SELECT COALESCE(e_1.provider, ''::text) AS provider,
            e_1.payment_ref,
            e_1.status,
            COALESCE(e_1.occurred_at, '1970-01-01 00:00:00+00'::timestamp with time zone) AS at,
            (NOT (EXISTS ( SELECT
                   FROM ingest.event o
                  WHERE ((o.payment_ref = e_1.payment_ref) AND (NOT (o.provider IS DISTINCT FROM e_1.provider)) AND (o.repeats IS NULL) AND (o.undoes = e_1.status) AND (COALESCE(o.occurred_at, 'infinity'::timestamp with time zone) >= COALESCE(e_1.occurred_at, '1970-01-01 00:00:00+00'::timestamp with time zone)) AND ((o.undoes <> 'REFUNDED'::text) OR COALESCE((o.amount = e_1.amount), true)))))) AS stands
           FROM ingest.event e_1
          WHERE ((e_1.payment_ref IS NOT NULL) AND (e_1.repeats IS NULL))) e
  ORDER BY e.provider, e.payment_ref, e.stands DESC, (array_position(ARRAY['CHARGEBACK'::text, 'REFUNDED'::text, 'APPROVED'::text, 'DECLINED'::text, 'FAILED'::text, 'PENDING'::text, 'UNPROCESSED'::text],
        CASE e.status
            WHEN 'FAILED'::text THEN 'DECLINED'::text
            ELSE e.status
        END)), e.at DESC, e.status DESC;

COMMENT ON VIEW ingest.payment_status IS 'How each payment stands, computed from its events';

CREATE VIEW ingest.audit_difference AS
 SELECT ('event '::text || e.id) AS what,
    'a body'::text AS expected,
    'none'::text AS found
   FROM (ingest.event e
     LEFT JOIN ingest.body b ON ((b.id = e.body_id)))
  WHERE (b.id IS NULL)
UNION ALL
 SELECT ('body '::text || b.id) AS what,
    'an event'::text AS expected,
    'none'::text AS found
   FROM ingest.body b
  WHERE ((NOT (EXISTS ( SELECT
           FROM ingest.event e
          WHERE (e.id = b.id)))) AND (NOT (EXISTS ( SELECT
           FROM ingest.event e
          WHERE ((e.body_id = b.id) AND (e.place > 0))))))
UNION ALL
 SELECT ('event '::text || e.id) AS what,
    ((('key '::text || e.dedup_key) || ' of '::text) || COALESCE(e.provider, 'nobody'::text)) AS expected,
    COALESCE(('that of event '::text || k.id), 'none'::text) AS found
   FROM (ingest.event e
     LEFT JOIN ingest.event_key k ON (((k.scope = ('provider/'::text || COALESCE(e.provider, ''::text))) AND (k.key = e.dedup_key))))
  WHERE ((e.dedup_key IS NOT NULL) AND (k.id IS DISTINCT FROM COALESCE(e.repeats, e.id)))
UNION ALL
 SELECT ((('key '::text || k.scope) || ' '::text) || k.key) AS what,
    'an event of that key'::text AS expected,
    (('event '::text || k.id) ||
        CASE
            WHEN (e.id IS NULL) THEN ', which is not there'::text
            ELSE ''::text
        END) AS found
   FROM (ingest.event_key k
     LEFT JOIN ingest.event e ON ((e.id = k.id)))
  WHERE ((e.id IS NULL) OR ((k.scope ~~ 'provider/%'::text) AND ((k.scope IS DISTINCT FROM ('provider/'::text || COALESCE(e.provider, ''::text))) OR (k.key IS DISTINCT FROM e.dedup_key))))
UNION ALL
 SELECT ('event '::text || e.id) AS what,
    'the first of its kind'::text AS expected,
    ('a repetition of '::text || e.repeats) AS found
   FROM (ingest.event e
     LEFT JOIN ingest.event f ON ((f.id = e.repeats)))
  WHERE ((e.repeats IS NOT NULL) AND ((f.id IS NULL) OR (f.repeats IS NOT NULL)))
UNION ALL
 SELECT ((('payment '::text || COALESCE(p.payment_ref, e.payment_ref)) || ' of '::text) || COALESCE(p.provider, e.provider)) AS what,
    COALESCE((e.events || ' events'::text), 'no event'::text) AS expected,
    COALESCE((p.events || ' events'::text), 'no payment'::text) AS found
   FROM (ingest.payment p
     FULL JOIN ( SELECT COALESCE(event.provider, ''::text) AS provider,
            event.payment_ref,
            count(*) AS events
           FROM ingest.event
          WHERE ((event.payment_ref IS NOT NULL) AND (event.repeats IS NULL))
          GROUP BY COALESCE(event.provider, ''::text), event.payment_ref) e USING (provider, payment_ref))
  WHERE (p.events IS DISTINCT FROM e.events)
UNION ALL
 SELECT ((('payment '::text || p.payment_ref) || ' of '::text) || p.provider) AS what,
    COALESCE(s.status, 'UNPROCESSED'::text) AS expected,
    p.status AS found
   FROM (ingest.payment p
     LEFT JOIN ingest.payment_status s USING (provider, payment_ref))
  WHERE (p.status IS DISTINCT FROM s.status)
UNION ALL
 SELECT ('roll-up of '::text || concat_ws(', '::text, day, NULLIF(provider, ''::text), status, NULLIF(reason, ''::text), NULLIF(code, ''::text), method)) AS what,
    COALESCE((((e.events || ' events, '::text) || e.latency_ms) || ' ms'::text), 'nothing'::text) AS expected,
    COALESCE((((r.events || ' events, '::text) || r.latency_ms) || ' ms'::text), 'nothing'::text) AS found
   FROM (( SELECT event_day.day,
            event_day.provider,
            event_day.status,
            event_day.reason,
            event_day.code,
            event_day.method,
            event_day.events,
            event_day.latency_ms
           FROM ingest.event_day
          WHERE ((event_day.events > 0) OR (event_day.latency_ms > 0))) r
     FULL JOIN ( SELECT event.day,
            COALESCE(event.provider, ''::text) AS provider,
            event.status,
            COALESCE(event.reason, ''::text) AS reason,
            COALESCE(event.code, ''::text) AS code,
            event.method,
            count(*) AS events,
            sum(event.latency_ms) AS latency_ms
           FROM ingest.event
          WHERE (event.repeats IS NULL)
          GROUP BY event.day, COALESCE(event.provider, ''::text), event.status, COALESCE(event.reason, ''::text), COALESCE(event.code, ''::text), event.method) e USING (day, provider, status, reason, code, method))
  WHERE ((r.events IS DISTINCT FROM e.events) OR (r.latency_ms IS DISTINCT FROM e.latency_ms))
UNION ALL
 SELECT ('amounts of '::text || concat_ws(', '::text, day, NULLIF(provider, ''::text), currency)) AS what,
    COALESCE((((e.events || ', of them '::text) || e.round) || ' in 00'::text), 'none'::text) AS expected,
    COALESCE((((r.events || ', of them '::text) || r.round) || ' in 00'::text), 'none'::text) AS found
   FROM (( SELECT amount_day.day,
            amount_day.provider,
            amount_day.currency,
            amount_day.events,
            amount_day.round
           FROM ingest.amount_day
          WHERE (amount_day.events > 0)) r
     FULL JOIN ( SELECT event.day,
            COALESCE(event.provider, ''::text) AS provider,
            event.currency,
            count(*) AS events,
            count(*) FILTER (WHERE ((event.amount_minor % (100)::bigint) = 0)) AS round
           FROM ingest.event
          WHERE ((event.repeats IS NULL) AND (event.amount_minor IS NOT NULL))
          GROUP BY event.day, COALESCE(event.provider, ''::text), event.currency) e USING (day, provider, currency))
  WHERE ((r.events IS DISTINCT FROM e.events) OR (r.round IS DISTINCT FROM e.round))
UNION ALL
 SELECT ('event '::text || outbox.message_id) AS what,
    'published'::text AS expected,
    ((outbox.event || ' in the outbox since '::text) || outbox.entered_at) AS found
   FROM ingest.outbox
  WHERE (outbox.entered_at <= (now() - ops.audit_grace()));

COMMENT ON VIEW ingest.audit_difference IS 'Each way in which bodies, events, keys, payments and roll-ups disagree';

CREATE VIEW ingest.audit_event AS
 SELECT e.id,
    e.body_id,
    e.place,
    b.source,
    b.source_key,
    e.provider,
    e.payment_ref,
    e.provider_event_id,
    e.status,
    e.code,
    e.reason,
    e.method,
    e.amount,
    e.amount_minor,
    e.currency,
    e.received_at,
    e.repeats
   FROM (ingest.event e
     JOIN ingest.body b ON ((b.id = e.body_id)));

COMMENT ON VIEW ingest.audit_event IS 'Each event, where it came from and what it was taken for';

CREATE TABLE ingest.body_default (
    id uuid NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL,
    is_text boolean NOT NULL,
    hint text,
    source text NOT NULL,
    source_key text,
    received_at timestamp with time zone NOT NULL,
    merchant text,
    country text,
    CONSTRAINT body_country_check CHECK ((length(country) <= 255)),
    CONSTRAINT body_hint_check CHECK ((length(hint) <= 255)),
    CONSTRAINT body_merchant_check CHECK ((length(merchant) <= 255)),
    CONSTRAINT body_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT body_source_check CHECK ((source ~ '^[a-z][a-z0-9_-]{0,49}$'::text)),
    CONSTRAINT body_source_key_check CHECK (((length(source_key) >= 1) AND (length(source_key) <= 255)))
);

CREATE VIEW ingest.console_body AS
 SELECT body.id,
    body.bytes,
    body.hint,
    body.source
   FROM ingest.body;

COMMENT ON VIEW ingest.console_body IS 'What was sent: text, deflated';

CREATE VIEW ingest.console_event AS
 SELECT event.id,
    event.body_id,
    event.place,
    event.received_at,
    event.provider,
    event.rule,
    event.method,
    event.confidence,
    event.status,
    event.code,
    event.detail,
    event.reason,
    event.undoes,
    event.amount,
    event.currency,
    event.amount_usd,
    event.fx_day,
    event.merchant,
    event.country,
    event.occurred_at,
    event.provider_event_id,
    event.payment_ref,
    event.metadata,
    event.provenance,
    event.latency_ms,
    event.repeats,
    event.attempts,
    event.retry_at
   FROM ingest.event;

COMMENT ON VIEW ingest.console_event IS 'Events as they were understood';

CREATE TABLE ingest.former_event (
    event_id uuid NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    cause text NOT NULL,
    was jsonb NOT NULL,
    CONSTRAINT former_event_cause_check CHECK (((length(cause) >= 1) AND (length(cause) <= 200)))
);

COMMENT ON TABLE ingest.former_event IS 'What an event was taken for until then; final';

CREATE VIEW ingest.console_former_event AS
 SELECT former_event.event_id,
    former_event.changed_at,
    former_event.cause,
    (former_event.was ->> 'status'::text) AS status,
    (former_event.was ->> 'rule'::text) AS rule
   FROM ingest.former_event;

COMMENT ON VIEW ingest.console_former_event IS 'What events were taken for before';

CREATE TABLE ingest.mapping (
    id uuid NOT NULL,
    family text NOT NULL,
    shape uuid NOT NULL,
    layout text NOT NULL,
    mapping jsonb NOT NULL,
    paths jsonb NOT NULL,
    state text NOT NULL,
    votes integer NOT NULL,
    confirmations integer NOT NULL,
    waits_for text,
    is_unsettled boolean DEFAULT false NOT NULL,
    decided_by text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mapping_confirmations_check CHECK ((confirmations >= 0)),
    CONSTRAINT mapping_decided_by_check CHECK ((length(decided_by) <= 100)),
    CONSTRAINT mapping_family_check CHECK (((length(family) >= 1) AND (length(family) <= 400))),
    CONSTRAINT mapping_layout_check CHECK ((layout ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT mapping_state_check CHECK ((state = ANY (ARRAY['candidate'::text, 'promoted'::text, 'rejected'::text, 'retired'::text]))),
    CONSTRAINT mapping_votes_check CHECK ((votes > 0))
);

COMMENT ON TABLE ingest.mapping IS 'Where a provider''s events have their fields, as a model said and events confirmed';

CREATE VIEW ingest.console_mapping AS
 SELECT mapping.id,
    mapping.family,
    mapping.layout,
    mapping.mapping,
    mapping.state,
    mapping.votes,
    mapping.confirmations,
    mapping.waits_for,
    mapping.decided_by,
    mapping.created_at,
    mapping.changed_at
   FROM ingest.mapping;

COMMENT ON VIEW ingest.console_mapping IS 'Where providers'' events have their fields, as a model said';

CREATE VIEW ingest.console_payment AS
 SELECT payment.provider,
    payment.payment_ref,
    payment.status,
    payment.events
   FROM ingest.payment;

COMMENT ON VIEW ingest.console_payment IS 'How payments of providers stand';

CREATE TABLE ingest.event_default (
    id uuid NOT NULL,
    body_id uuid NOT NULL,
    place integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    provider text,
    rule text,
    method text NOT NULL,
    confidence double precision NOT NULL,
    status text NOT NULL,
    code text,
    detail text,
    reason text,
    undoes text,
    amount numeric,
    amount_minor bigint,
    currency text,
    amount_usd numeric,
    fx_day date,
    merchant text,
    country text,
    occurred_at timestamp with time zone,
    day date GENERATED ALWAYS AS (((COALESCE(occurred_at, received_at) AT TIME ZONE 'UTC'::text))::date) STORED NOT NULL,
    provider_event_id text,
    payment_ref text,
    dedup_key text,
    metadata jsonb NOT NULL,
    provenance jsonb NOT NULL,
    latency_ms integer NOT NULL,
    repeats uuid,
    attempts smallint DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    CONSTRAINT event_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT event_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT event_amount_usd_check CHECK ((amount_usd >= (0)::numeric)),
    CONSTRAINT event_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT event_check CHECK ((repeats <> id)),
    CONSTRAINT event_check1 CHECK (((status = 'UNPROCESSED'::text) = (code IS NOT NULL))),
    CONSTRAINT event_check2 CHECK (((code IS NULL) = (detail IS NULL))),
    CONSTRAINT event_check3 CHECK (((reason IS NULL) OR (status <> 'UNPROCESSED'::text))),
    CONSTRAINT event_check4 CHECK (((amount_minor IS NULL) OR ((amount IS NOT NULL) AND (currency IS NOT NULL)))),
    CONSTRAINT event_check5 CHECK (((retry_at IS NULL) OR (status = 'UNPROCESSED'::text))),
    CONSTRAINT event_check6 CHECK (((amount_usd IS NULL) OR ((amount IS NOT NULL) AND (currency IS NOT NULL) AND ((currency = 'USD'::text) = (fx_day IS NULL))))),
    CONSTRAINT event_check7 CHECK ((((amount_usd IS NULL) AND (fx_day IS NULL)) OR (amount_usd IS NOT NULL))),
    CONSTRAINT event_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT event_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT event_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT event_dedup_key_check CHECK (((length(dedup_key) >= 1) AND (length(dedup_key) <= 255))),
    CONSTRAINT event_latency_ms_check CHECK ((latency_ms >= 0)),
    CONSTRAINT event_method_check CHECK ((method = ANY (ARRAY['rule'::text, 'learned'::text, 'ai'::text, 'none'::text]))),
    CONSTRAINT event_payment_ref_check CHECK (((length(payment_ref) >= 1) AND (length(payment_ref) <= 255))),
    CONSTRAINT event_place_check CHECK ((place >= 0)),
    CONSTRAINT event_provider_check CHECK (((length(provider) >= 1) AND (length(provider) <= 50))),
    CONSTRAINT event_provider_event_id_check CHECK ((length(provider_event_id) <= 255)),
    CONSTRAINT event_status_check CHECK ((status = ANY (ARRAY['APPROVED'::text, 'PENDING'::text, 'DECLINED'::text, 'FAILED'::text, 'REFUNDED'::text, 'CHARGEBACK'::text, 'UNPROCESSED'::text])))
);

CREATE TABLE ingest.fx_rate (
    currency text NOT NULL,
    day date NOT NULL,
    usd numeric NOT NULL,
    source text NOT NULL,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT fx_rate_currency_check CHECK (((currency ~ '^[A-Z]{3}$'::text) AND (currency <> 'USD'::text))),
    CONSTRAINT fx_rate_source_check CHECK (((length(source) >= 1) AND (length(source) <= 200))),
    CONSTRAINT fx_rate_usd_check CHECK ((usd > (0)::numeric))
);

COMMENT ON TABLE ingest.fx_rate IS 'Rates of currencies in USD, by day, each with its source';

CREATE TABLE ingest.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE ingest.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE ingest.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE ingest.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE TABLE ingest.learning_family (
    family text NOT NULL,
    claimed_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    claim uuid,
    next_call_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    failures smallint DEFAULT 0 NOT NULL,
    CONSTRAINT learning_family_failures_check CHECK ((failures >= 0))
)
WITH (fillfactor='80');

COMMENT ON TABLE ingest.learning_family IS 'Whose turn it is to ask a model about a family of events';

CREATE TABLE ingest.learning_sample (
    family text NOT NULL,
    digest text NOT NULL,
    leaves jsonb NOT NULL,
    mapping_id uuid,
    tries smallint DEFAULT 0 NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT learning_sample_digest_check CHECK ((digest ~ '^[0-9a-f]{32}$'::text)),
    CONSTRAINT learning_sample_tries_check CHECK ((tries >= 0))
);

COMMENT ON TABLE ingest.learning_sample IS 'Events that mappings are made of and tested on';

CREATE TABLE ingest.model_call (
    id uuid NOT NULL,
    family text NOT NULL,
    purpose text NOT NULL,
    outcome text NOT NULL,
    detail text,
    ms integer NOT NULL,
    tokens integer NOT NULL,
    called_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT model_call_detail_check CHECK ((length(detail) <= 1000)),
    CONSTRAINT model_call_ms_check CHECK ((ms >= 0)),
    CONSTRAINT model_call_outcome_check CHECK ((outcome = ANY (ARRAY['new'::text, 'extended'::text, 'confirmed'::text, 'rival'::text, 'refused'::text, 'failed'::text]))),
    CONSTRAINT model_call_purpose_check CHECK ((purpose = ANY (ARRAY['learn'::text, 'confirm'::text]))),
    CONSTRAINT model_call_tokens_check CHECK ((tokens >= 0))
);

COMMENT ON TABLE ingest.model_call IS 'Each question to a model, and what it brought; its text is kept nowhere';

CREATE TABLE ingest.rate_limit (
    key character varying(255) NOT NULL,
    points integer DEFAULT 0 NOT NULL,
    expire double precision
)
WITH (fillfactor='50');

COMMENT ON TABLE ingest.rate_limit IS 'What each caller has used of its limits in the minute under way';

CREATE VIEW ingest.round_share AS
 SELECT amount_day.provider,
    amount_day.currency,
    (sum(amount_day.events))::bigint AS events,
    ((sum(amount_day.round) / sum(amount_day.events)))::double precision AS share
   FROM ingest.amount_day
  WHERE ((amount_day.day > (((now() AT TIME ZONE 'UTC'::text))::date - 7)) AND (amount_day.events > 0))
  GROUP BY amount_day.provider, amount_day.currency;

COMMENT ON VIEW ingest.round_share IS 'Share of amounts that end in 00, of the last seven days';

CREATE VIEW ingest.unprocessed_state AS
 SELECT count(*) FILTER (WHERE (event.retry_at IS NOT NULL)) AS waiting,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(event.retry_at))), (0)::numeric), (0)::numeric))::double precision AS overdue_seconds
   FROM ingest.event
  WHERE (event.retry_at IS NOT NULL);

COMMENT ON VIEW ingest.unprocessed_state IS 'How many events are tried once more, and how late the most overdue of them is';

CREATE TABLE monitor.report (
    window_uuid uuid NOT NULL,
    seq integer NOT NULL,
    id bigint NOT NULL,
    ok boolean NOT NULL,
    error_message text,
    reported_at timestamp with time zone NOT NULL,
    late boolean NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT report_error_message_check CHECK ((length(error_message) <= 500)),
    CONSTRAINT report_seq_check CHECK ((seq > 0))
);

COMMENT ON TABLE monitor.report IS 'Which reports of a window have come: a set, so that a repetition changes nothing';

CREATE VIEW monitor.audit_difference AS
 SELECT ('window '::text || w.window_uuid) AS what,
        CASE
            WHEN (w.state = 'RESOLVED_LATE'::text) THEN (('all of '::text || w.due) || ' reports'::text)
            ELSE (w.received || ' reports in time'::text)
        END AS expected,
    ((((w.in_time || ' in time, '::text) || w.late) || ' late, '::text) || w.state) AS found
   FROM ( SELECT w_1.window_uuid,
            w_1.id,
            w_1.service,
            w_1.window_from,
            w_1.window_to,
            w_1.interval_ms,
            w_1.expected,
            w_1.last_seq,
            w_1.deadline,
            w_1.state,
            w_1.received,
            w_1.errors,
            w_1.closed_at,
            w_1.decided_at,
            w_1.created_at,
            COALESCE(w_1.last_seq, w_1.expected) AS due,
            c.in_time,
            c.late
           FROM (monitor.report_window w_1
             CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (NOT r.late)) AS in_time,
                    count(*) FILTER (WHERE r.late) AS late
                   FROM monitor.report r
                  WHERE ((r.window_uuid = w_1.window_uuid) AND (r.seq <= COALESCE(w_1.last_seq, w_1.expected)))) c)
          WHERE (w_1.decided_at > (now() - '28 days'::interval))) w
  WHERE ((w.in_time <> w.received) OR ((w.state = 'RESOLVED_LATE'::text) AND ((w.in_time + w.late) < w.due)) OR ((w.state = 'ALERT'::text) AND ((w.in_time + w.late) >= w.due)))
UNION ALL
 SELECT ('window '::text || report_window.window_uuid) AS what,
    ('decided by '::text || ((report_window.deadline + '00:10:00'::interval) + ops.audit_grace())) AS expected,
    report_window.state AS found
   FROM monitor.report_window
  WHERE ((report_window.state = 'OPEN'::text) AND (((report_window.deadline + '00:10:00'::interval) + ops.audit_grace()) <= now()));

COMMENT ON VIEW monitor.audit_difference IS 'Each window that does not say what its reports do';

CREATE TABLE monitor.hearing (
    only_row boolean DEFAULT true NOT NULL,
    since timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT hearing_only_row_check CHECK (only_row)
);

COMMENT ON TABLE monitor.hearing IS 'Since when holders are heard without a gap';

CREATE TABLE monitor.holder (
    holder text NOT NULL,
    said_at timestamp with time zone NOT NULL,
    renewed_at timestamp with time zone NOT NULL,
    lease_ms integer NOT NULL,
    leased_until timestamp with time zone NOT NULL,
    gave_back_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    held_windows uuid[] NOT NULL,
    held_seqs integer[] NOT NULL,
    CONSTRAINT holder_check CHECK ((cardinality(held_windows) = cardinality(held_seqs))),
    CONSTRAINT holder_holder_check CHECK (((length(holder) >= 1) AND (length(holder) <= 100))),
    CONSTRAINT holder_lease_ms_check CHECK ((lease_ms >= 0))
);

COMMENT ON TABLE monitor.holder IS 'Each process of monitor-queue, and the reports that it holds';

CREATE VIEW monitor.lease AS
 SELECT h.holder,
    h.renewed_at,
    h.gave_back_at,
    h.held_windows,
    h.held_seqs,
        CASE
            WHEN (h.lease_ms = 0) THEN h.leased_until
            ELSE GREATEST(h.leased_until, (g.since + ((h.lease_ms)::double precision * '00:00:00.001'::interval)))
        END AS ends_at
   FROM (monitor.holder h
     CROSS JOIN monitor.hearing g);

COMMENT ON VIEW monitor.lease IS 'Holders, and until when they may hold what they said; a lease begins anew after a time in which nobody was heard';

CREATE VIEW monitor.audit_held AS
 SELECT DISTINCT u.window_uuid,
    u.seq
   FROM monitor.lease,
    LATERAL UNNEST(lease.held_windows, lease.held_seqs) u(window_uuid, seq)
  WHERE (lease.ends_at > clock_timestamp());

CREATE VIEW monitor.audit_window AS
 SELECT report_window.window_uuid,
    report_window.service,
    report_window.expected,
    COALESCE(report_window.last_seq, report_window.expected) AS due,
    report_window.state,
    report_window.received,
    report_window.created_at
   FROM monitor.report_window
  WHERE (report_window.created_at > (now() - '28 days'::interval));

CREATE VIEW monitor.audit_report AS
 SELECT r.window_uuid,
    r.seq,
    r.late
   FROM (monitor.report r
     JOIN monitor.audit_window USING (window_uuid));

CREATE TABLE monitor.conflict (
    window_uuid uuid NOT NULL,
    digest bytea NOT NULL,
    report jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT conflict_digest_check CHECK ((length(digest) = 32))
);

COMMENT ON TABLE monitor.conflict IS 'Reports whose schedule is another one than their window''s: kept, and counted nowhere';

CREATE VIEW monitor.console_report AS
 SELECT report.window_uuid,
    report.seq,
    report.ok,
    report.late
   FROM monitor.report;

COMMENT ON VIEW monitor.console_report IS 'Which reports of windows have come';

CREATE VIEW monitor.console_window AS
 SELECT report_window.id,
    report_window.window_uuid,
    report_window.service,
    report_window.state
   FROM monitor.report_window;

COMMENT ON VIEW monitor.console_window IS 'Windows, without what came of their reports';

CREATE TABLE monitor.flip (
    window_uuid uuid NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT flip_state_check CHECK ((state = ANY (ARRAY['UNKNOWN'::text, 'CLOSED'::text, 'ALERT'::text, 'RESOLVED_LATE'::text])))
);

COMMENT ON TABLE monitor.flip IS 'Into which states a window came, and when';

CREATE TABLE monitor.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE monitor.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE monitor.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE monitor.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE TABLE monitor.marker (
    marker_id uuid NOT NULL,
    sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    back_at timestamp with time zone
);

COMMENT ON TABLE monitor.marker IS 'Messages that the sweep sends through the queue of reports';

CREATE TABLE monitor.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE monitor.outbox IS 'Events to be published; a row lives for milliseconds';

ALTER TABLE monitor.report ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME monitor.report_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE monitor.report_window ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME monitor.report_window_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW monitor.service_state AS
 SELECT s.service,
    latest.alerts
   FROM (( SELECT report_window.service
           FROM monitor.report_window
          WHERE (report_window.created_at > (now() - '01:00:00'::interval))
          GROUP BY report_window.service
          ORDER BY report_window.service
         LIMIT 100) s
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (five.state = ANY (ARRAY['ALERT'::text, 'RESOLVED_LATE'::text]))) AS alerts
           FROM ( SELECT w.state
                   FROM monitor.report_window w
                  WHERE ((w.service = s.service) AND (w.decided_at IS NOT NULL))
                  ORDER BY w.id DESC
                 LIMIT 5) five) latest);

COMMENT ON VIEW monitor.service_state IS 'How many of a service''s latest five windows lacked reports when they were decided';

CREATE VIEW monitor.state AS
 SELECT count(*) FILTER (WHERE ((report_window.state = 'OPEN'::text) AND (report_window.deadline > clock_timestamp()))) AS open_windows,
    count(*) FILTER (WHERE ((report_window.state = 'OPEN'::text) AND (report_window.deadline <= clock_timestamp()))) AS pending_windows,
    count(*) FILTER (WHERE (report_window.state = 'UNKNOWN'::text)) AS unknown_windows,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(report_window.deadline))), (0)::numeric), (0)::numeric))::double precision AS oldest_due_age_seconds,
    ( SELECT count(*) AS count
           FROM monitor.flip
          WHERE ((flip.state = 'ALERT'::text) AND (flip.created_at > (now() - '01:00:00'::interval)))) AS alerts_last_hour,
    ( SELECT count(*) AS count
           FROM monitor.flip
          WHERE ((flip.state = 'RESOLVED_LATE'::text) AND (flip.created_at > (now() - '01:00:00'::interval)))) AS resolved_late_last_hour,
    ( SELECT count(*) AS count
           FROM monitor.conflict
          WHERE (conflict.created_at > (now() - '01:00:00'::interval))) AS conflicts_last_hour
   FROM monitor.report_window
  WHERE (report_window.state = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text]));

COMMENT ON VIEW monitor.state IS 'How it stands with what is not decided, and what was lately';

CREATE TABLE monitor.transition (
    from_state text NOT NULL,
    to_state text NOT NULL
);

COMMENT ON TABLE monitor.transition IS 'Changes of state that there are; all others are refused';

CREATE TABLE monitor.webhook (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    last_result text,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '4 days'::interval) NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT webhook_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT webhook_type_check CHECK (((length(type) >= 1) AND (length(type) <= 100)))
);

COMMENT ON TABLE monitor.webhook IS 'What is told to the receiver of webhooks, and what became of it';

CREATE TABLE monitor.webhook_stop (
    stopped boolean DEFAULT true NOT NULL,
    webhook_id uuid NOT NULL,
    stopped_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_stop_stopped_check CHECK (stopped)
);

COMMENT ON TABLE monitor.webhook_stop IS 'There is a row while the receiver wants no more webhooks';

CREATE VIEW monitor.window_count AS
 SELECT w.window_uuid,
    w.id,
    w.service,
    w.window_from,
    w.window_to,
    w.interval_ms,
    w.expected,
    w.last_seq,
    w.deadline,
    w.state,
    w.received,
    w.errors,
    w.closed_at,
    w.decided_at,
    w.created_at,
    COALESCE(w.last_seq, w.expected) AS due,
    COALESCE(w.received, c.received) AS received_reports,
        CASE
            WHEN (w.created_at > (now() - '28 days'::interval)) THEN c.late
            ELSE NULL::integer
        END AS late_reports,
    COALESCE(w.errors, c.errors) AS error_reports,
    ( SELECT (count(*))::integer AS count
           FROM monitor.conflict x
          WHERE (x.window_uuid = w.window_uuid)) AS conflicts
   FROM (monitor.report_window w
     CROSS JOIN LATERAL ( SELECT (count(*) FILTER (WHERE (NOT r.late)))::integer AS received,
            (count(*) FILTER (WHERE r.late))::integer AS late,
            (count(*) FILTER (WHERE ((NOT r.late) AND (NOT r.ok))))::integer AS errors
           FROM monitor.report r
          WHERE ((r.window_uuid = w.window_uuid) AND (r.seq <= COALESCE(w.last_seq, w.expected)))) c);

COMMENT ON VIEW monitor.window_count IS 'Windows with how many reports came in time, late, and told of an error';

CREATE TABLE ops.audit_result (
    latest boolean DEFAULT true NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    differences bigint NOT NULL,
    quiesced boolean NOT NULL,
    CONSTRAINT audit_result_differences_check CHECK ((differences >= 0)),
    CONSTRAINT audit_result_latest_check CHECK (latest)
);

COMMENT ON TABLE ops.audit_result IS 'What the latest payments audit found';

CREATE TABLE ops.backup (
    backup_id text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    bytes bigint,
    row_count bigint,
    failure text,
    CONSTRAINT backup_bytes_check CHECK ((bytes >= 0)),
    CONSTRAINT backup_check CHECK (((state = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT backup_kind_check CHECK ((kind = ANY (ARRAY['dump'::text, 'base'::text]))),
    CONSTRAINT backup_row_count_check CHECK ((row_count >= 0)),
    CONSTRAINT backup_state_check CHECK ((state = ANY (ARRAY['completed'::text, 'failed'::text])))
);

COMMENT ON TABLE ops.backup IS 'Each backup that ended; one that was killed leaves no row and no backup';

COMMENT ON COLUMN ops.backup.kind IS 'dump: one database, restorable table by table; base: the whole cluster, for a point in time';

COMMENT ON COLUMN ops.backup.row_count IS 'In all tables of a dump';

CREATE TABLE ops.restore_drill (
    drill_id bigint NOT NULL,
    backup_id text NOT NULL,
    place text NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    restore_ms integer,
    verify_ms integer,
    differences integer DEFAULT 0 NOT NULL,
    failure text,
    CONSTRAINT restore_drill_check CHECK (((state = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT restore_drill_place_check CHECK ((place = ANY (ARRAY['database'::text, 'cluster'::text]))),
    CONSTRAINT restore_drill_state_check CHECK ((state = ANY (ARRAY['passed'::text, 'failed'::text])))
);

COMMENT ON TABLE ops.restore_drill IS 'Each backup that was restored to see whether it can be';

COMMENT ON COLUMN ops.restore_drill.place IS 'A scratch database of the same server, or a server of its own';

COMMENT ON COLUMN ops.restore_drill.restore_ms IS 'The recovery time: from nothing to a database with all its rows and indexes';

CREATE VIEW ops.backup_status AS
 WITH backup AS (
         SELECT backup.backup_id,
            backup.kind,
            backup.state,
            backup.started_at,
            backup.finished_at,
            backup.bytes,
            backup.row_count,
            backup.failure
           FROM ops.backup
          WHERE (backup.finished_at <= (now() + '00:05:00'::interval))
        ), drill AS (
         SELECT restore_drill.drill_id,
            restore_drill.backup_id,
            restore_drill.place,
            restore_drill.state,
            restore_drill.started_at,
            restore_drill.finished_at,
            restore_drill.restore_ms,
            restore_drill.verify_ms,
            restore_drill.differences,
            restore_drill.failure
           FROM ops.restore_drill
          WHERE (restore_drill.finished_at <= (now() + '00:05:00'::interval))
        )
 SELECT (EXTRACT(epoch FROM (now() - max(b.finished_at) FILTER (WHERE ((b.kind = 'dump'::text) AND (b.state = 'completed'::text))))))::double precision AS dump_age_s,
    (EXTRACT(epoch FROM (now() - max(b.finished_at) FILTER (WHERE ((b.kind = 'base'::text) AND (b.state = 'completed'::text))))))::double precision AS base_age_s,
    (array_agg(b.bytes ORDER BY b.finished_at DESC) FILTER (WHERE ((b.kind = 'dump'::text) AND (b.state = 'completed'::text))))[1] AS dump_bytes,
    ((array_agg(EXTRACT(epoch FROM (b.finished_at - b.started_at)) ORDER BY b.finished_at DESC) FILTER (WHERE ((b.kind = 'dump'::text) AND (b.state = 'completed'::text))))[1])::double precision AS dump_took_s,
    (((array_agg(b.state ORDER BY b.finished_at DESC))[1] = 'completed'::text))::integer AS last_ok,
    count(*) FILTER (WHERE (b.state = 'failed'::text)) AS failed_total,
    ( SELECT (EXTRACT(epoch FROM (now() - max(drill.finished_at))))::double precision AS "extract"
           FROM drill
          WHERE (drill.state = 'passed'::text)) AS verified_age_s,
    ( SELECT ((drill.state = 'passed'::text))::integer AS int4
           FROM drill
          ORDER BY drill.finished_at DESC
         LIMIT 1) AS last_drill_ok,
    (( SELECT ((drill.restore_ms)::numeric / 1000.0)
           FROM drill
          WHERE (drill.state = 'passed'::text)
          ORDER BY drill.finished_at DESC
         LIMIT 1))::double precision AS restore_took_s,
    ( SELECT (EXTRACT(epoch FROM (now() - pg_stat_archiver.last_archived_time)))::double precision AS "extract"
           FROM pg_stat_archiver) AS wal_archived_age_s,
    ( SELECT pg_stat_archiver.failed_count
           FROM pg_stat_archiver) AS wal_archive_failed_total,
    ( SELECT (GREATEST((0)::numeric, EXTRACT(epoch FROM (max(times.finished_at) - now()))))::double precision AS "greatest"
           FROM ( SELECT backup.finished_at
                   FROM ops.backup
                UNION ALL
                 SELECT restore_drill.finished_at
                   FROM ops.restore_drill) times) AS ahead_s
   FROM backup b;

COMMENT ON VIEW ops.backup_status IS 'Age, size and result of the latest backups and drill, and how archiving gets on';

CREATE VIEW ops.console_audit_result AS
 SELECT audit_result.finished_at,
    audit_result.differences
   FROM ops.audit_result;

COMMENT ON VIEW ops.console_audit_result IS 'What the latest payments audit found';

CREATE VIEW ops.console_backup AS
 SELECT backup.backup_id,
    backup.kind,
    backup.state,
    backup.started_at,
    backup.finished_at,
    backup.bytes,
    backup.row_count,
    backup.failure
   FROM ops.backup;

COMMENT ON VIEW ops.console_backup IS 'Backups that ended';

CREATE TABLE ops.dead_letter (
    letter_no bigint NOT NULL,
    queue text NOT NULL,
    consumer text NOT NULL,
    event text,
    message_id text,
    trace_id uuid,
    code text NOT NULL,
    last_code text NOT NULL,
    attempts bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT dead_letter_attempts_check CHECK ((attempts > 0))
);

COMMENT ON TABLE ops.dead_letter IS 'Messages that failed for good: at most 1,000,000 of the last 90 days; no body, and no row where the database was away';

COMMENT ON COLUMN ops.dead_letter.queue IS 'The dead letters among which it lies, e.g. wallet.dlq';

COMMENT ON COLUMN ops.dead_letter.consumer IS 'The work queue whose consumer failed';

COMMENT ON COLUMN ops.dead_letter.code IS 'As it stands on the letter: what payments dlq --reason takes';

COMMENT ON COLUMN ops.dead_letter.last_code IS 'Of the last attempt; another one than code where the attempts ran out';

CREATE VIEW ops.console_dead_letter AS
 SELECT d.letter_no,
    d.queue,
    d.consumer,
    d.event,
    d.message_id,
    d.trace_id,
    d.code,
    d.last_code,
    d.attempts,
    d.recorded_at,
    taken.action AS done
   FROM (ops.dead_letter d
     LEFT JOIN LATERAL ( SELECT a.action
           FROM (ops.dead_letter_action_letter l
             JOIN ops.dead_letter_action a USING (action_id))
          WHERE ((l.letter_id = d.message_id) AND (a.queue = d.queue) AND (l.recorded_at > d.recorded_at))
          ORDER BY l.recorded_at
         LIMIT 1) taken ON (true));

COMMENT ON VIEW ops.console_dead_letter IS 'Dead letters, and what was done with them first';

CREATE VIEW ops.console_drill AS
 SELECT restore_drill.drill_id,
    restore_drill.backup_id,
    restore_drill.place,
    restore_drill.state,
    restore_drill.started_at,
    restore_drill.finished_at,
    restore_drill.restore_ms,
    restore_drill.verify_ms,
    restore_drill.differences,
    restore_drill.failure
   FROM ops.restore_drill;

COMMENT ON VIEW ops.console_drill IS 'Backups that were restored to see whether they can be';

CREATE VIEW ops.console_replay AS
 SELECT l.letter_id,
    a.queue,
    a.os_user AS replayed_by,
    l.recorded_at AS replayed_at
   FROM (ops.dead_letter_action_letter l
     JOIN ops.dead_letter_action a USING (action_id))
  WHERE (a.action = 'replay'::text);

COMMENT ON VIEW ops.console_replay IS 'Dead letters that were sent again, once for each time';

ALTER TABLE ops.dead_letter_action ALTER COLUMN action_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.dead_letter_action_action_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ops.dead_letter ALTER COLUMN letter_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.dead_letter_letter_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ops.erasure (
    name_digest bytea NOT NULL,
    erased_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT erasure_name_digest_check CHECK ((length(name_digest) = 32))
);

COMMENT ON TABLE ops.erasure IS 'SHA-256 of the names of customers whose data was erased';

CREATE TABLE ops.module_migration (
    module text NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    took_ms integer NOT NULL,
    breaking boolean NOT NULL
);

COMMENT ON TABLE ops.module_migration IS 'Migrations that were applied, a sequence per module';

COMMENT ON COLUMN ops.module_migration.breaking IS 'Code that does not know it refuses to work here';

CREATE VIEW ops.migration AS
 SELECT module_migration.version,
    module_migration.name,
    module_migration.sha256,
    module_migration.applied_at,
    module_migration.took_ms
   FROM ops.module_migration
  WHERE ((module_migration.module = 'etl'::text) AND ((module_migration.version <= 5) OR module_migration.breaking));

COMMENT ON VIEW ops.migration IS 'For code that knows no modules: the first five of etl, and what it cannot live with';

ALTER TABLE ops.restore_drill ALTER COLUMN drill_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.restore_drill_drill_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE payments.account (
    account_id integer NOT NULL,
    holder_name text NOT NULL,
    email text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    segment text NOT NULL,
    spending_level numeric(6,3) NOT NULL,
    card_network text NOT NULL,
    card_token text NOT NULL,
    card_bin text NOT NULL,
    card_last4 text NOT NULL,
    opened_on date NOT NULL,
    CONSTRAINT account_card_bin_check CHECK ((card_bin ~ '^[0-9]{6}$'::text)),
    CONSTRAINT account_card_last4_check CHECK ((card_last4 ~ '^[0-9]{4}$'::text)),
    CONSTRAINT account_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT account_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT account_segment_check CHECK ((segment = ANY (ARRAY['mass'::text, 'affluent'::text, 'business'::text]))),
    CONSTRAINT account_spending_level_check CHECK ((spending_level > (0)::numeric))
);

COMMENT ON TABLE payments.account IS 'Card holders, one card each; written by payments seed only';

CREATE TABLE payments.agg_merchant_day (
    month date NOT NULL,
    day date NOT NULL,
    merchant_id integer NOT NULL,
    currency text NOT NULL,
    txn_count bigint NOT NULL,
    approved_count bigint NOT NULL,
    refund_count bigint NOT NULL,
    fraud_count bigint NOT NULL,
    amount numeric(20,2) NOT NULL,
    approved_amount numeric(20,2) NOT NULL,
    refund_amount numeric(20,2) NOT NULL
);

COMMENT ON TABLE payments.agg_merchant_day IS 'Takings per merchant, UTC day and currency; each run adds its own';

COMMENT ON COLUMN payments.agg_merchant_day.amount IS 'Sum of amount of all its transactions, whatever their kind and status';

COMMENT ON COLUMN payments.agg_merchant_day.approved_amount IS 'Approved purchases and cash';

CREATE TABLE payments.agg_network_hour (
    month date NOT NULL,
    hour timestamp with time zone NOT NULL,
    network text NOT NULL,
    channel text NOT NULL,
    currency text NOT NULL,
    txn_count bigint NOT NULL,
    approved_count bigint NOT NULL,
    fraud_count bigint NOT NULL,
    amount numeric(20,2) NOT NULL
);

COMMENT ON TABLE payments.agg_network_hour IS 'Volume per card network, channel, currency and UTC hour; each run adds its own';

CREATE TABLE payments.merchant (
    merchant_id integer NOT NULL,
    name text NOT NULL,
    mcc text NOT NULL,
    category text NOT NULL,
    country text NOT NULL,
    city text NOT NULL,
    currency text NOT NULL,
    price_level numeric(6,3) NOT NULL,
    CONSTRAINT merchant_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT merchant_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT merchant_mcc_check CHECK ((mcc ~ '^[0-9]{4}$'::text)),
    CONSTRAINT merchant_price_level_check CHECK ((price_level > (0)::numeric))
);

COMMENT ON TABLE payments.merchant IS 'Acceptors, with their category (MCC); written by payments seed only';

CREATE VIEW payments.console_merchant_day AS
 SELECT a.month,
    a.day,
    m.country,
    m.category,
    a.currency,
    a.txn_count,
    a.approved_count,
    a.fraud_count,
    a.amount
   FROM (payments.agg_merchant_day a
     JOIN payments.merchant m USING (merchant_id));

COMMENT ON VIEW payments.console_merchant_day IS 'Volume per country and category of merchants, currency and day';

CREATE VIEW payments.console_network_hour AS
 SELECT agg_network_hour.month,
    agg_network_hour.hour,
    agg_network_hour.network,
    agg_network_hour.channel,
    agg_network_hour.currency,
    agg_network_hour.txn_count,
    agg_network_hour.approved_count,
    agg_network_hour.fraud_count,
    agg_network_hour.amount
   FROM payments.agg_network_hour;

COMMENT ON VIEW payments.console_network_hour IS 'Volume per card network, channel, currency and hour';

CREATE TABLE payments.terminal (
    terminal_id integer NOT NULL,
    merchant_id integer NOT NULL,
    channel text NOT NULL,
    CONSTRAINT terminal_channel_check CHECK ((channel = ANY (ARRAY['pos'::text, 'ecom'::text, 'atm'::text])))
);

COMMENT ON TABLE payments.terminal IS 'Where cards are presented; each belongs to one merchant; written by payments seed only';

CREATE TABLE payments.txn (
    txn_id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    account_id integer NOT NULL,
    merchant_id integer NOT NULL,
    terminal_id integer NOT NULL,
    amount numeric(14,2) NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    network text NOT NULL,
    status text NOT NULL,
    response_code text NOT NULL,
    original_txn_id bigint,
    is_fraud boolean NOT NULL
)
PARTITION BY RANGE (occurred_at);

COMMENT ON TABLE payments.txn IS 'Card transactions that passed cleaning, one leaf per month (UTC)';

COMMENT ON COLUMN payments.txn.amount IS 'In units of currency, always positive; kind says the direction';

COMMENT ON COLUMN payments.txn.kind IS 'purchase, cash or refund';

COMMENT ON COLUMN payments.txn.original_txn_id IS 'The purchase that a refund gives back';

COMMENT ON COLUMN payments.txn.is_fraud IS 'Later reported as fraud by the issuer';

CREATE TABLE payments.txn_reject (
    run_id text NOT NULL,
    chunk_no integer NOT NULL,
    line_no integer NOT NULL,
    reason text NOT NULL,
    rejected_at timestamp with time zone NOT NULL,
    txn_id bigint,
    occurred_at timestamp with time zone,
    account_id integer,
    merchant_id integer,
    terminal_id integer,
    amount numeric(14,2),
    amount_raw text,
    currency text,
    kind text,
    channel text,
    network text,
    status text,
    response_code text,
    original_txn_id bigint,
    is_fraud boolean
);

COMMENT ON TABLE payments.txn_reject IS 'Every row that could not be repaired, as it came, with its reason';

COMMENT ON COLUMN payments.txn_reject.line_no IS 'Line of its chunk, from 0';

CREATE TABLE payouts.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE payouts.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE payouts.pago (
    id_pago uuid NOT NULL,
    id_afiliado text NOT NULL,
    referencia_pago text,
    monto bigint NOT NULL,
    moneda text NOT NULL,
    estado text DEFAULT 'PENDIENTE'::text NOT NULL,
    motivo text,
    trace_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    gateway_key text,
    sent_at timestamp with time zone,
    gateway_id text,
    ended boolean DEFAULT false NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    takes integer DEFAULT 0 NOT NULL,
    CONSTRAINT pago_check CHECK (((estado = 'PENDIENTE'::text) = (gateway_key IS NULL))),
    CONSTRAINT pago_check1 CHECK (((gateway_key IS NULL) = (sent_at IS NULL))),
    CONSTRAINT pago_check2 CHECK (((gateway_key IS NOT NULL) OR (gateway_id IS NULL))),
    CONSTRAINT pago_check3 CHECK (((estado <> 'EXITOSO'::text) OR (gateway_id IS NOT NULL))),
    CONSTRAINT pago_check4 CHECK (((estado = 'FALLIDO'::text) = (motivo IS NOT NULL))),
    CONSTRAINT pago_estado_check CHECK ((estado = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text, 'EXITOSO'::text, 'FALLIDO'::text]))),
    CONSTRAINT pago_gateway_id_check CHECK (((length(gateway_id) >= 1) AND (length(gateway_id) <= 255))),
    CONSTRAINT pago_gateway_key_check CHECK (((length(gateway_key) >= 1) AND (length(gateway_key) <= 255))),
    CONSTRAINT pago_id_afiliado_check CHECK (((length(id_afiliado) >= 1) AND (length(id_afiliado) <= 255))),
    CONSTRAINT pago_moneda_check CHECK ((moneda = ANY (ARRAY['USD'::text, 'EUR'::text, 'COP'::text]))),
    CONSTRAINT pago_monto_check CHECK (((monto >= 1) AND (monto <= '1000000000000000'::bigint))),
    CONSTRAINT pago_motivo_check CHECK (((length(motivo) >= 1) AND (length(motivo) <= 200))),
    CONSTRAINT pago_referencia_pago_check CHECK (((length(referencia_pago) >= 1) AND (length(referencia_pago) <= 255)))
)
PARTITION BY RANGE (id_pago);

COMMENT ON TABLE payouts.pago IS 'A Pago as it stands';

CREATE TABLE payouts.paid (
    id_pago uuid NOT NULL,
    gateway_id text NOT NULL,
    monto bigint NOT NULL,
    moneda text NOT NULL,
    paid_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE payouts.paid IS 'Money that went out, once for a Pago; final';

CREATE TABLE payouts.reference (
    id_afiliado text NOT NULL,
    referencia_pago text NOT NULL,
    id_pago uuid NOT NULL,
    CONSTRAINT reference_referencia_pago_check CHECK (((length(referencia_pago) >= 1) AND (length(referencia_pago) <= 255)))
);

COMMENT ON TABLE payouts.reference IS 'The Pago of an afiliado under a referencia_pago: one';

CREATE TABLE payouts.returned (
    id_pago uuid NOT NULL,
    motivo text NOT NULL,
    returned_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT returned_motivo_check CHECK (((length(motivo) >= 1) AND (length(motivo) <= 200)))
);

COMMENT ON TABLE payouts.returned IS 'Money that the bank sent back, all of it; final. Its Pago stays EXITOSO';

CREATE VIEW payouts.audit_difference AS
 SELECT ('Pago '::text || COALESCE(p.id_pago, m.id_pago)) AS what,
        CASE
            WHEN (p.estado = 'EXITOSO'::text) THEN ((((('paid '::text || p.monto) || ' '::text) || p.moneda) || ' as '::text) || COALESCE(p.gateway_id, 'nothing'::text))
            ELSE ('nothing paid: it is '::text || COALESCE(p.estado, 'not there'::text))
        END AS expected,
    COALESCE(((((('paid '::text || m.monto) || ' '::text) || m.moneda) || ' as '::text) || m.gateway_id), 'nothing paid'::text) AS found
   FROM (payouts.pago p
     FULL JOIN payouts.paid m USING (id_pago))
  WHERE (((NOT (p.estado IS DISTINCT FROM 'EXITOSO'::text)) <> (m.id_pago IS NOT NULL)) OR ((m.id_pago IS NOT NULL) AND ((p.monto IS DISTINCT FROM m.monto) OR (p.moneda IS DISTINCT FROM m.moneda) OR (p.gateway_id IS DISTINCT FROM m.gateway_id))))
UNION ALL
 SELECT ('Pago '::text || r.id_pago) AS what,
    'paid before it came back'::text AS expected,
    'nothing paid'::text AS found
   FROM (payouts.returned r
     LEFT JOIN payouts.paid m USING (id_pago))
  WHERE (m.id_pago IS NULL)
UNION ALL
 SELECT ('Pago '::text || pago.id_pago) AS what,
    'key and reason as its state has them'::text AS expected,
    ((((pago.estado || ', '::text) || COALESCE(pago.motivo, 'no reason'::text)) || ', '::text) || COALESCE(pago.gateway_key, 'no key'::text)) AS found
   FROM payouts.pago
  WHERE (((pago.estado = 'FALLIDO'::text) <> (pago.motivo IS NOT NULL)) OR ((pago.estado = 'PENDIENTE'::text) <> (pago.gateway_key IS NULL)))
UNION ALL
 SELECT ((('reference '::text || COALESCE(r.referencia_pago, p.referencia_pago)) || ' of '::text) || COALESCE(r.id_afiliado, p.id_afiliado)) AS what,
    ('Pago '::text || COALESCE((p.id_pago)::text, 'none'::text)) AS expected,
    ('Pago '::text || COALESCE((r.id_pago)::text, 'none'::text)) AS found
   FROM (payouts.reference r
     FULL JOIN ( SELECT pago.id_pago,
            pago.id_afiliado,
            pago.referencia_pago,
            pago.monto,
            pago.moneda,
            pago.estado,
            pago.motivo,
            pago.trace_id,
            pago.created_at,
            pago.updated_at,
            pago.gateway_key,
            pago.sent_at,
            pago.gateway_id,
            pago.ended,
            pago.due_at,
            pago.takes
           FROM payouts.pago
          WHERE (pago.referencia_pago IS NOT NULL)) p USING (id_pago))
  WHERE ((r.id_afiliado IS DISTINCT FROM p.id_afiliado) OR (r.referencia_pago IS DISTINCT FROM p.referencia_pago))
UNION ALL
 SELECT ('Pago '::text || pago.id_pago) AS what,
    'settled by now'::text AS expected,
    ((pago.estado || ' since '::text) || pago.updated_at) AS found
   FROM payouts.pago
  WHERE ((pago.estado = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text])) AND (pago.updated_at <= (now() -
        CASE
            WHEN (ops.audit_grace() = '00:00:00'::interval) THEN '00:00:00'::interval
            ELSE (ops.audit_grace() +
            CASE
                WHEN (pago.gateway_id IS NULL) THEN '01:00:00'::interval
                ELSE '14 days'::interval
            END)
        END)))
UNION ALL
 SELECT ('event '::text || outbox.message_id) AS what,
    'published'::text AS expected,
    ((outbox.event || ' in the outbox since '::text) || outbox.entered_at) AS found
   FROM payouts.outbox
  WHERE (outbox.entered_at <= (now() - ops.audit_grace()));

COMMENT ON VIEW payouts.audit_difference IS 'Each way in which Pagos, references and money that went out disagree';

CREATE VIEW payouts.audit_pago AS
 SELECT p.id_pago,
    p.estado,
    p.gateway_id,
    p.monto,
    p.moneda,
    (r.id_pago IS NOT NULL) AS returned,
    GREATEST(p.updated_at, r.returned_at) AS changed_at
   FROM (payouts.pago p
     LEFT JOIN payouts.returned r USING (id_pago));

COMMENT ON VIEW payouts.audit_pago IS 'What payouts says of each Pago, for the gateway''s book';

CREATE VIEW payouts.console_outbox AS
 SELECT outbox.message_id,
    outbox.event,
    (outbox.headers ->> 'key'::text) AS key,
    outbox.entered_at
   FROM payouts.outbox;

COMMENT ON VIEW payouts.console_outbox IS 'Events that wait to be published, and whom they are about';

CREATE VIEW payouts.console_pago AS
 SELECT p.id_pago,
    p.id_afiliado,
    p.referencia_pago,
    p.monto,
    p.moneda,
    p.estado,
    p.motivo,
    p.trace_id,
    p.created_at,
    p.updated_at,
    p.gateway_key,
    p.sent_at,
    p.gateway_id,
    p.ended,
    p.takes,
    r.motivo AS returned_motivo,
    r.returned_at
   FROM (payouts.pago p
     LEFT JOIN payouts.returned r USING (id_pago));

COMMENT ON VIEW payouts.console_pago IS 'Pagos as they stand; amounts in minor units';

CREATE VIEW payouts.console_paid AS
 SELECT paid.id_pago,
    paid.gateway_id,
    paid.monto,
    paid.moneda,
    paid.paid_at
   FROM payouts.paid;

COMMENT ON VIEW payouts.console_paid IS 'Money that went out; amounts in minor units';

CREATE TABLE payouts.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE payouts.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE payouts.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE payouts.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE VIEW payouts.open_state AS
 SELECT e.estado,
    count(p.id_pago) AS pagos,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(p.created_at))), (0)::numeric), (0)::numeric))::double precision AS oldest_age_seconds,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(p.created_at) FILTER (WHERE (p.gateway_id IS NULL)))), (0)::numeric), (0)::numeric))::double precision AS oldest_untaken_age_seconds
   FROM (( VALUES ('PENDIENTE'::text), ('PROCESANDO'::text)) e(estado)
     LEFT JOIN payouts.pago p ON (((p.estado = e.estado) AND (p.estado = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text])))))
  GROUP BY e.estado;

COMMENT ON VIEW payouts.open_state IS 'How many Pagos are not settled, since when, and since when the gateway has not taken the oldest';

CREATE TABLE payouts.outbox_total (
    event text NOT NULL,
    slot smallint NOT NULL,
    sent bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    retries bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE payouts.outbox_total IS 'How many events were published, had to be tried again, and how often';

CREATE TABLE payouts.pago_default (
    id_pago uuid NOT NULL,
    id_afiliado text NOT NULL,
    referencia_pago text,
    monto bigint NOT NULL,
    moneda text NOT NULL,
    estado text DEFAULT 'PENDIENTE'::text NOT NULL,
    motivo text,
    trace_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    gateway_key text,
    sent_at timestamp with time zone,
    gateway_id text,
    ended boolean DEFAULT false NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    takes integer DEFAULT 0 NOT NULL,
    CONSTRAINT pago_check CHECK (((estado = 'PENDIENTE'::text) = (gateway_key IS NULL))),
    CONSTRAINT pago_check1 CHECK (((gateway_key IS NULL) = (sent_at IS NULL))),
    CONSTRAINT pago_check2 CHECK (((gateway_key IS NOT NULL) OR (gateway_id IS NULL))),
    CONSTRAINT pago_check3 CHECK (((estado <> 'EXITOSO'::text) OR (gateway_id IS NOT NULL))),
    CONSTRAINT pago_check4 CHECK (((estado = 'FALLIDO'::text) = (motivo IS NOT NULL))),
    CONSTRAINT pago_estado_check CHECK ((estado = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text, 'EXITOSO'::text, 'FALLIDO'::text]))),
    CONSTRAINT pago_gateway_id_check CHECK (((length(gateway_id) >= 1) AND (length(gateway_id) <= 255))),
    CONSTRAINT pago_gateway_key_check CHECK (((length(gateway_key) >= 1) AND (length(gateway_key) <= 255))),
    CONSTRAINT pago_id_afiliado_check CHECK (((length(id_afiliado) >= 1) AND (length(id_afiliado) <= 255))),
    CONSTRAINT pago_moneda_check CHECK ((moneda = ANY (ARRAY['USD'::text, 'EUR'::text, 'COP'::text]))),
    CONSTRAINT pago_monto_check CHECK (((monto >= 1) AND (monto <= '1000000000000000'::bigint))),
    CONSTRAINT pago_motivo_check CHECK (((length(motivo) >= 1) AND (length(motivo) <= 200))),
    CONSTRAINT pago_referencia_pago_check CHECK (((length(referencia_pago) >= 1) AND (length(referencia_pago) <= 255)))
);

CREATE VIEW payouts.report_pago AS
 SELECT p.id_pago,
    p.created_at,
    p.estado,
    p.motivo,
    p.monto,
    p.moneda,
    (r.id_pago IS NOT NULL) AS returned
   FROM (payouts.pago p
     LEFT JOIN payouts.returned r USING (id_pago));

COMMENT ON VIEW payouts.report_pago IS 'Pagos for reports: nothing of who was paid; amounts in minor units';

CREATE TABLE payouts.transition (
    from_estado text NOT NULL,
    to_estado text NOT NULL
);

COMMENT ON TABLE payouts.transition IS 'Changes of state that there are; all others are refused';

CREATE VIEW public.heartbeat_events AS
 SELECT r.id,
    w.id AS window_id,
    w.service AS service_name,
        CASE
            WHEN r.ok THEN 'ok'::text
            ELSE 'error'::text
        END AS status,
    r.reported_at AS report_timestamp,
    r.error_message,
    r.created_at
   FROM (monitor.report r
     JOIN monitor.report_window w USING (window_uuid));

COMMENT ON VIEW public.heartbeat_events IS 'Reports that came, each once';

CREATE VIEW public.monitoring_windows AS
 SELECT window_count.id,
    window_count.window_uuid,
    window_count.service AS service_name,
    window_count.state AS status,
    window_count.due AS expected_reports,
    window_count.received_reports,
    window_count.error_reports,
    GREATEST((window_count.due - window_count.received_reports), 0) AS missing_reports,
    window_count.window_from,
    window_count.window_to,
    window_count.closed_at,
    window_count.created_at
   FROM monitor.window_count;

COMMENT ON VIEW public.monitoring_windows IS 'Windows as monitor knows them; missing counts what came late, too';

CREATE TABLE reporter.report_window (
    window_uuid uuid NOT NULL,
    id bigint NOT NULL,
    service text NOT NULL,
    seed bigint NOT NULL,
    error_rate double precision NOT NULL,
    omission_rate double precision NOT NULL,
    interval_ms integer NOT NULL,
    duration_ms integer NOT NULL,
    expected integer GENERATED ALWAYS AS ((duration_ms / interval_ms)) STORED NOT NULL,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    window_from timestamp with time zone NOT NULL,
    process text NOT NULL,
    audited_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT report_window_check CHECK ((duration_ms >= interval_ms)),
    CONSTRAINT report_window_error_rate_check CHECK (((error_rate >= (0)::double precision) AND (error_rate <= (1)::double precision))),
    CONSTRAINT report_window_interval_ms_check CHECK (((interval_ms >= 10) AND (interval_ms <= 3600000))),
    CONSTRAINT report_window_omission_rate_check CHECK (((omission_rate >= (0)::double precision) AND (omission_rate <= (1)::double precision))),
    CONSTRAINT report_window_seed_check CHECK ((seed >= 0)),
    CONSTRAINT report_window_service_check CHECK (((length(service) >= 1) AND (length(service) <= 63)))
);

COMMENT ON TABLE reporter.report_window IS 'A window that was opened, and its schedule';

CREATE TABLE reporter.tick (
    window_uuid uuid NOT NULL,
    seq integer NOT NULL,
    id bigint NOT NULL,
    status text NOT NULL,
    outcome text NOT NULL,
    ticked_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT tick_check CHECK (((outcome = ANY (ARRAY['sending'::text, 'sent'::text])) OR (seq > 0))),
    CONSTRAINT tick_outcome_check CHECK ((outcome = ANY (ARRAY['sending'::text, 'sent'::text, 'omitted'::text, 'stalled'::text, 'unknown'::text]))),
    CONSTRAINT tick_seq_check CHECK ((seq >= 0)),
    CONSTRAINT tick_status_check CHECK (((status = 'ok'::text) OR (status ~~ 'error: _%'::text)))
)
WITH (fillfactor='80');

COMMENT ON TABLE reporter.tick IS 'What became of each tick';

CREATE VIEW public.report_audit AS
 SELECT t.id,
    t.window_uuid,
    w.service,
    t.status,
    (t.outcome = 'sent'::text) AS sent_to_queue,
    t.ticked_at AS "timestamp",
    t.created_at
   FROM (reporter.tick t
     JOIN reporter.report_window w USING (window_uuid))
  WHERE (t.seq > 0);

COMMENT ON VIEW public.report_audit IS 'What became of each tick of a reporter';

CREATE VIEW public.report_windows AS
 SELECT report_window.id,
    report_window.window_uuid,
    report_window.service,
    report_window.window_from,
    (report_window.window_from + ((report_window.duration_ms)::double precision * '00:00:00.001'::interval)) AS window_to,
    report_window.error_rate AS error_status_generado,
    report_window.omission_rate AS error_status_no_reportado,
    report_window.created_at
   FROM reporter.report_window;

COMMENT ON VIEW public.report_windows IS 'Windows as their reporters opened them';

CREATE VIEW reporter.audit_window AS
 SELECT report_window.window_uuid,
    report_window.service,
    report_window.expected,
    report_window.omission_rate,
    (report_window.audited_at IS NOT NULL) AS audited,
    report_window.opened_at,
    report_window.duration_ms
   FROM reporter.report_window
  WHERE (report_window.created_at > (now() - '28 days'::interval));

CREATE VIEW reporter.audit_difference AS
 SELECT ('window '::text || w.window_uuid) AS what,
    ((w.expected + 1) || ' ticks'::text) AS expected,
    (count(t.seq) || ' ticks'::text) AS found
   FROM (reporter.audit_window w
     LEFT JOIN reporter.tick t USING (window_uuid))
  WHERE w.audited
  GROUP BY w.window_uuid, w.expected
 HAVING ((count(t.seq) <> (w.expected + 1)) OR (max(t.seq) > w.expected));

COMMENT ON VIEW reporter.audit_difference IS 'Windows whose audit is not complete although it once was';

CREATE VIEW reporter.audit_tick AS
 SELECT t.window_uuid,
    t.seq,
    t.outcome,
    t.status
   FROM (reporter.tick t
     JOIN reporter.audit_window USING (window_uuid));

CREATE VIEW reporter.console_tick AS
 SELECT tick.window_uuid,
    tick.seq,
    tick.outcome
   FROM reporter.tick;

COMMENT ON VIEW reporter.console_tick IS 'What became of ticks';

CREATE TABLE reporter.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE reporter.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE reporter.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE reporter.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE TABLE reporter.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE reporter.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE reporter.process (
    process text NOT NULL,
    leased_until timestamp with time zone NOT NULL,
    CONSTRAINT process_process_check CHECK (((length(process) >= 1) AND (length(process) <= 63)))
);

COMMENT ON TABLE reporter.process IS 'Reporters that live; of one that does not, another one of its service takes the windows';

ALTER TABLE reporter.report_window ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME reporter.report_window_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW reporter.state AS
 SELECT ( SELECT count(*) AS count
           FROM reporter.report_window
          WHERE (report_window.audited_at IS NULL)) AS open_windows,
    ( SELECT count(*) AS count
           FROM reporter.tick
          WHERE (tick.outcome = 'sending'::text)) AS unsent_ticks,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - ( SELECT min(tick.created_at) AS min
           FROM reporter.tick
          WHERE (tick.outcome = 'sending'::text)))), (0)::numeric), (0)::numeric))::double precision AS unsent_oldest_age_seconds;

COMMENT ON VIEW reporter.state IS 'How many windows are under way, and reports that the broker has not confirmed';

ALTER TABLE reporter.tick ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME reporter.tick_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE reports.event (
    "position" bigint NOT NULL,
    kind text NOT NULL,
    aggregate_id uuid NOT NULL,
    version bigint NOT NULL,
    event text NOT NULL,
    minor_digits smallint NOT NULL,
    body jsonb NOT NULL,
    message_id text NOT NULL,
    archived_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT event_kind_check CHECK ((kind = ANY (ARRAY['payout'::text, 'campaign'::text]))),
    CONSTRAINT event_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT event_minor_digits_check CHECK (((minor_digits >= 0) AND (minor_digits <= 4))),
    CONSTRAINT event_position_check CHECK (("position" > 0)),
    CONSTRAINT event_version_check CHECK ((version > 0))
)
PARTITION BY RANGE (aggregate_id);

COMMENT ON TABLE reports.event IS 'Every event as it was told, once; final';

CREATE VIEW reports.archived_payout AS
 SELECT e.aggregate_id AS payout_id,
    e.version,
    (e.body ->> 'id_afiliado'::text) AS affiliate,
    (e.body ->> 'moneda'::text) AS currency,
    ((((e.body ->> 'monto'::text))::numeric * ((10)::numeric ^ (e.minor_digits)::numeric)))::bigint AS amount,
    (e.body ->> 'estado'::text) AS state,
    (e.event = 'payments.evt.returned'::text) AS returned,
    ( SELECT ((((f.body ->> 'occurred_at'::text))::timestamp with time zone AT TIME ZONE 'UTC'::text))::date AS timezone
           FROM reports.event f
          WHERE ((f.aggregate_id = e.aggregate_id) AND (f.version = 1))) AS day
   FROM reports.event e
  WHERE ((e.kind = 'payout'::text) AND (NOT (EXISTS ( SELECT
           FROM reports.event newer
          WHERE ((newer.aggregate_id = e.aggregate_id) AND (newer.version > e.version))))));

COMMENT ON VIEW reports.archived_payout IS 'Payouts as the archive has them';

CREATE VIEW reports.archived_content AS
 SELECT ('payout '::text || archived_payout.payout_id) AS what,
    concat_ws(' '::text, 'version', archived_payout.version, archived_payout.state,
        CASE
            WHEN archived_payout.returned THEN 'returned'::text
            ELSE NULL::text
        END, archived_payout.amount, archived_payout.currency, 'of', archived_payout.affiliate, COALESCE(('since '::text || archived_payout.day), 'parked'::text)) AS value
   FROM reports.archived_payout
UNION ALL
 SELECT ('campaign '::text || e.aggregate_id) AS what,
    concat_ws(' '::text, 'version', e.version, (e.body ->> 'state'::text), 'spent', ((((e.body ->> 'spend'::text))::numeric * ((10)::numeric ^ (e.minor_digits)::numeric)))::bigint, 'of', ((((e.body ->> 'budget'::text))::numeric * ((10)::numeric ^ (e.minor_digits)::numeric)))::bigint, (e.body ->> 'currency'::text), 'seen', (e.body ->> 'impressions'::text), 'clicked', (e.body ->> 'clicks'::text), 'converted', (e.body ->> 'conversions'::text), (e.body ->> 'name'::text)) AS value
   FROM reports.event e
  WHERE ((e.kind = 'campaign'::text) AND (NOT (EXISTS ( SELECT
           FROM reports.event newer
          WHERE ((newer.aggregate_id = e.aggregate_id) AND (newer.version > e.version))))))
UNION ALL
 SELECT concat_ws(' '::text, 'day', archived_payout.day, archived_payout.currency, archived_payout.state) AS what,
    concat_ws(' '::text, count(*), 'payouts,', sum(archived_payout.amount), 'returned', count(*) FILTER (WHERE archived_payout.returned)) AS value
   FROM reports.archived_payout
  WHERE (archived_payout.day IS NOT NULL)
  GROUP BY archived_payout.day, archived_payout.currency, archived_payout.state
UNION ALL
 SELECT concat_ws(' '::text, 'affiliate', archived_payout.affiliate, archived_payout.currency) AS what,
    concat_ws(' '::text, count(*), 'payouts,', sum(archived_payout.amount), 'completed', count(*) FILTER (WHERE (archived_payout.state = 'EXITOSO'::text)), 'failed', count(*) FILTER (WHERE (archived_payout.state = 'FALLIDO'::text))) AS value
   FROM reports.archived_payout
  WHERE (archived_payout.day IS NOT NULL)
  GROUP BY archived_payout.affiliate, archived_payout.currency;

COMMENT ON VIEW reports.archived_content IS 'What a read model must say, made of the archive';

CREATE TABLE reports.campaign (
    generation integer NOT NULL,
    campaign_id uuid NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    currency text NOT NULL,
    budget bigint NOT NULL,
    spend bigint NOT NULL,
    impressions bigint NOT NULL,
    clicks bigint NOT NULL,
    conversions bigint NOT NULL,
    CONSTRAINT campaign_budget_check CHECK ((budget >= 0)),
    CONSTRAINT campaign_clicks_check CHECK ((clicks >= 0)),
    CONSTRAINT campaign_conversions_check CHECK ((conversions >= 0)),
    CONSTRAINT campaign_impressions_check CHECK ((impressions >= 0)),
    CONSTRAINT campaign_spend_check CHECK ((spend >= 0)),
    CONSTRAINT campaign_state_check CHECK ((state = ANY (ARRAY['CREATED'::text, 'ACTIVE'::text, 'PAUSED'::text, 'COMPLETED'::text])))
);

COMMENT ON TABLE reports.campaign IS 'Each campaign by its newest event';

CREATE TABLE reports.head (
    one boolean DEFAULT true NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT head_one_check CHECK (one),
    CONSTRAINT head_position_check CHECK (("position" >= 0))
);

COMMENT ON TABLE reports.head IS 'Position of the newest event in the archive, and when it was applied';

CREATE TABLE reports.switch (
    epoch integer NOT NULL,
    version text NOT NULL,
    generation integer NOT NULL,
    switched_by text NOT NULL,
    trace_id uuid,
    switched_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT switch_epoch_check CHECK ((epoch > 0)),
    CONSTRAINT switch_switched_by_check CHECK (((length(switched_by) >= 1) AND (length(switched_by) <= 255))),
    CONSTRAINT switch_version_check CHECK ((version = ANY (ARRAY['v1'::text, 'v2'::text])))
);

COMMENT ON TABLE reports.switch IS 'Which version and generation are served, by the latest row; the others say who served what, and when; final';

CREATE VIEW reports.served AS
 SELECT s.epoch,
    s.version,
    s.generation,
    s.switched_by,
    s.switched_at,
    h."position",
    h.applied_at
   FROM (( SELECT switch.epoch,
            switch.version,
            switch.generation,
            switch.switched_by,
            switch.trace_id,
            switch.switched_at
           FROM reports.switch
          ORDER BY switch.epoch DESC
         LIMIT 1) s
     CROSS JOIN reports.head h);

COMMENT ON VIEW reports.served IS 'What is served now';

CREATE VIEW reports.audit_campaign AS
 SELECT c.campaign_id,
    c.state,
    c.currency,
    c.budget,
    c.spend,
    c.impressions,
    c.clicks,
    c.conversions
   FROM (reports.campaign c
     JOIN reports.served s USING (generation));

COMMENT ON VIEW reports.audit_campaign IS 'Campaigns as they are served; amounts in minor units';

CREATE TABLE reports.payout (
    generation integer NOT NULL,
    payout_id uuid NOT NULL,
    version bigint NOT NULL,
    affiliate text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    state text NOT NULL,
    returned boolean NOT NULL,
    day date,
    CONSTRAINT payout_amount_check CHECK ((amount > 0)),
    CONSTRAINT payout_state_check CHECK ((state = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text, 'EXITOSO'::text, 'FALLIDO'::text])))
);

COMMENT ON TABLE reports.payout IS 'Each payout by its newest event';

CREATE TABLE reports.payout_affiliate (
    generation integer NOT NULL,
    affiliate text NOT NULL,
    currency text NOT NULL,
    payouts bigint NOT NULL,
    amount numeric NOT NULL,
    completed bigint NOT NULL,
    failed bigint NOT NULL,
    CONSTRAINT payout_affiliate_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT payout_affiliate_check CHECK (((completed + failed) <= payouts)),
    CONSTRAINT payout_affiliate_completed_check CHECK ((completed >= 0)),
    CONSTRAINT payout_affiliate_failed_check CHECK ((failed >= 0)),
    CONSTRAINT payout_affiliate_payouts_check CHECK ((payouts >= 0))
);

COMMENT ON TABLE reports.payout_affiliate IS 'Payouts rolled up by whom they are for';

CREATE TABLE reports.payout_day (
    generation integer NOT NULL,
    day date NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    payouts bigint NOT NULL,
    amount numeric NOT NULL,
    returned bigint NOT NULL,
    CONSTRAINT payout_day_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT payout_day_check CHECK (((returned >= 0) AND (returned <= payouts))),
    CONSTRAINT payout_day_payouts_check CHECK ((payouts >= 0))
);

COMMENT ON TABLE reports.payout_day IS 'Payouts rolled up by the day of their first event';

CREATE VIEW reports.content AS
 SELECT payout.generation,
    ('payout '::text || payout.payout_id) AS what,
    concat_ws(' '::text, 'version', payout.version, payout.state,
        CASE
            WHEN payout.returned THEN 'returned'::text
            ELSE NULL::text
        END, payout.amount, payout.currency, 'of', payout.affiliate, COALESCE(('since '::text || payout.day), 'parked'::text)) AS value
   FROM reports.payout
UNION ALL
 SELECT campaign.generation,
    ('campaign '::text || campaign.campaign_id) AS what,
    concat_ws(' '::text, 'version', campaign.version, campaign.state, 'spent', campaign.spend, 'of', campaign.budget, campaign.currency, 'seen', campaign.impressions, 'clicked', campaign.clicks, 'converted', campaign.conversions, campaign.name) AS value
   FROM reports.campaign
UNION ALL
 SELECT payout_day.generation,
    concat_ws(' '::text, 'day', payout_day.day, payout_day.currency, payout_day.state) AS what,
    concat_ws(' '::text, payout_day.payouts, 'payouts,', payout_day.amount, 'returned', payout_day.returned) AS value
   FROM reports.payout_day
  WHERE (payout_day.payouts > 0)
UNION ALL
 SELECT payout_affiliate.generation,
    concat_ws(' '::text, 'affiliate', payout_affiliate.affiliate, payout_affiliate.currency) AS what,
    concat_ws(' '::text, payout_affiliate.payouts, 'payouts,', payout_affiliate.amount, 'completed', payout_affiliate.completed, 'failed', payout_affiliate.failed) AS value
   FROM reports.payout_affiliate
  WHERE (payout_affiliate.payouts > 0);

COMMENT ON VIEW reports.content IS 'Read models by generation, a line for each thing that they say';

CREATE TABLE reports.generation (
    generation integer NOT NULL,
    state text DEFAULT 'building'::text NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    shown_differences integer,
    shown_position bigint,
    rebuilder text,
    leased_until timestamp with time zone,
    CONSTRAINT generation_generation_check CHECK ((generation > 0)),
    CONSTRAINT generation_position_check CHECK (("position" >= 0)),
    CONSTRAINT generation_state_check CHECK ((state = ANY (ARRAY['building'::text, 'live'::text, 'retired'::text, 'dropped'::text])))
);

COMMENT ON TABLE reports.generation IS 'Read models: each is made of the whole archive by one projection';

CREATE VIEW reports.parked AS
 SELECT p.payout_id,
    min(e.archived_at) AS since
   FROM ((reports.payout p
     JOIN reports.served s USING (generation))
     JOIN reports.event e ON ((e.aggregate_id = p.payout_id)))
  WHERE (p.day IS NULL)
  GROUP BY p.payout_id;

COMMENT ON VIEW reports.parked IS 'Payouts that are in no sum, since their first event has not come';

CREATE VIEW reports.audit_difference AS
 SELECT what,
    COALESCE(a.value, 'nothing: the archive does not have it'::text) AS expected,
    COALESCE(c.value, 'nothing'::text) AS found
   FROM (reports.archived_content a
     FULL JOIN ( SELECT content.what,
            content.value
           FROM (reports.content
             JOIN reports.served USING (generation))) c USING (what))
  WHERE (a.value IS DISTINCT FROM c.value)
UNION ALL
 SELECT 'archive'::text AS what,
    ((h."position" || ' events at positions 1 to '::text) || h."position") AS expected,
    ((((count(e."position") || ' events at '::text) || count(DISTINCT e."position")) || ' positions up to '::text) || COALESCE(max(e."position"), (0)::bigint)) AS found
   FROM (reports.head h
     LEFT JOIN reports.event e ON (true))
  GROUP BY h."position"
 HAVING ((count(e."position") <> h."position") OR (count(DISTINCT e."position") <> h."position") OR (COALESCE(max(e."position"), (0)::bigint) <> h."position"))
UNION ALL
 SELECT ('generation '::text || g.generation) AS what,
    ('at position '::text || h."position") AS expected,
    ('at position '::text || g."position") AS found
   FROM (reports.generation g
     CROSS JOIN reports.head h)
  WHERE ((g.state = 'live'::text) AND (g."position" <> h."position"))
UNION ALL
 SELECT ('payout '::text || parked.payout_id) AS what,
    ('its first event, before '::text || (parked.since + ops.audit_grace())) AS expected,
    ('parked since '::text || parked.since) AS found
   FROM reports.parked
  WHERE (parked.since <= (now() - ops.audit_grace()));

COMMENT ON VIEW reports.audit_difference IS 'Each way in which the read model that is served differs from the archive';

CREATE VIEW reports.audit_head AS
 SELECT head."position",
    head.applied_at
   FROM reports.head;

COMMENT ON VIEW reports.audit_head IS 'How many events there are, and when the newest was applied';

CREATE VIEW reports.audit_payout AS
 SELECT p.payout_id,
    p.currency,
    p.amount,
    p.state,
    p.returned
   FROM (reports.payout p
     JOIN reports.served s USING (generation));

COMMENT ON VIEW reports.audit_payout IS 'Payouts as they are served; amounts in minor units';

CREATE VIEW reports.console_generation AS
 SELECT generation.generation,
    generation.state,
    generation."position",
    generation.changed_at
   FROM reports.generation;

COMMENT ON VIEW reports.console_generation IS 'Read models';

CREATE VIEW reports.console_switch AS
 SELECT switch.epoch,
    switch.version,
    switch.generation,
    switch.switched_by,
    switch.switched_at
   FROM reports.switch;

COMMENT ON VIEW reports.console_switch IS 'Who served what, and when';

CREATE TABLE reports.event_default (
    "position" bigint NOT NULL,
    kind text NOT NULL,
    aggregate_id uuid NOT NULL,
    version bigint NOT NULL,
    event text NOT NULL,
    minor_digits smallint NOT NULL,
    body jsonb NOT NULL,
    message_id text NOT NULL,
    archived_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT event_kind_check CHECK ((kind = ANY (ARRAY['payout'::text, 'campaign'::text]))),
    CONSTRAINT event_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT event_minor_digits_check CHECK (((minor_digits >= 0) AND (minor_digits <= 4))),
    CONSTRAINT event_position_check CHECK (("position" > 0)),
    CONSTRAINT event_version_check CHECK ((version > 0))
);

CREATE TABLE reports.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE reports.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE reports.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE reports.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE TABLE reports.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE reports.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE VIEW reports.report_day AS
 SELECT payout_day.day,
    payout_day.currency,
    payout_day.state,
    payout_day.payouts,
    payout_day.amount,
    payout_day.returned
   FROM (reports.payout_day
     JOIN reports.served USING (generation))
  WHERE (payout_day.payouts > 0);

COMMENT ON VIEW reports.report_day IS 'Payouts that are served, by day, currency and state; amounts in minor units';

CREATE VIEW reports.state AS
 SELECT s.epoch,
    s.generation,
    s."position",
    ( SELECT count(*) AS count
           FROM reports.parked) AS parked_payouts,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - ( SELECT min(parked.since) AS min
           FROM reports.parked))), (0)::numeric), (0)::numeric))::double precision AS parked_oldest_age_seconds,
    COALESCE(( SELECT (s."position" - min(g."position"))
           FROM reports.generation g
          WHERE (g.state = 'building'::text)), (0)::bigint) AS rebuild_behind_events,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - ( SELECT min(g.leased_until) AS min
           FROM reports.generation g
          WHERE ((g.state = ANY (ARRAY['building'::text, 'live'::text])) AND (g.generation <> s.generation))))), (0)::numeric), (0)::numeric))::double precision AS rebuild_left_age_seconds
   FROM reports.served s;

COMMENT ON VIEW reports.state IS 'How it stands with what is served, what is parked, and a rebuild that somebody left';

CREATE TABLE saga.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE saga.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE saga.payment (
    payment_id uuid NOT NULL,
    customer_id text NOT NULL,
    reference text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    state text DEFAULT 'PENDING'::text NOT NULL,
    awaiting text DEFAULT 'check'::text,
    reason text,
    refunded bigint DEFAULT 0 NOT NULL,
    trace_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    sends smallint DEFAULT 0 NOT NULL,
    CONSTRAINT payment_amount_check CHECK ((amount > 0)),
    CONSTRAINT payment_awaiting_check CHECK ((awaiting = ANY (ARRAY['check'::text, 'debit'::text]))),
    CONSTRAINT payment_check CHECK (((refunded >= 0) AND (refunded <= amount))),
    CONSTRAINT payment_check1 CHECK (((state = 'PENDING'::text) = (awaiting IS NOT NULL))),
    CONSTRAINT payment_check2 CHECK (((state = 'DECLINED'::text) = (reason IS NOT NULL))),
    CONSTRAINT payment_check3 CHECK (((state <> 'PARTIALLY_REFUNDED'::text) OR ((refunded > 0) AND (refunded < amount)))),
    CONSTRAINT payment_check4 CHECK (((state <> 'REFUNDED'::text) OR (refunded = amount))),
    CONSTRAINT payment_check5 CHECK (((refunded = 0) OR (state <> ALL (ARRAY['PENDING'::text, 'APPROVED'::text])))),
    CONSTRAINT payment_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_customer_id_check CHECK (((length(customer_id) >= 1) AND (length(customer_id) <= 255))),
    CONSTRAINT payment_method_check CHECK (((length(method) >= 1) AND (length(method) <= 50))),
    CONSTRAINT payment_reason_check CHECK ((reason = ANY (ARRAY['fraud_detected'::text, 'insufficient_funds'::text, 'unknown_wallet'::text, 'timed_out'::text]))),
    CONSTRAINT payment_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 255))),
    CONSTRAINT payment_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'DECLINED'::text, 'PARTIALLY_REFUNDED'::text, 'REFUNDED'::text])))
)
PARTITION BY RANGE (payment_id);

COMMENT ON TABLE saga.payment IS 'A payment as it stands';

CREATE TABLE saga.reference (
    customer_id text NOT NULL,
    reference text NOT NULL,
    payment_id uuid NOT NULL,
    CONSTRAINT reference_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 255)))
);

COMMENT ON TABLE saga.reference IS 'The payment that a customer made under a reference: one';

CREATE TABLE saga.step (
    payment_id uuid NOT NULL,
    event text NOT NULL,
    message_id text NOT NULL,
    state text NOT NULL,
    awaiting text,
    trace_id uuid NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT step_message_id_check CHECK ((length(message_id) <= 255))
)
PARTITION BY RANGE (payment_id);

COMMENT ON TABLE saga.step IS 'What happened to a payment, a row a step; final';

CREATE TABLE saga.webhook (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    last_result text,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '4 days'::interval) NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT webhook_check CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT webhook_type_check CHECK (((length(type) >= 1) AND (length(type) <= 100)))
);

COMMENT ON TABLE saga.webhook IS 'What is told to the receiver of webhooks, and what became of it';

CREATE VIEW saga.audit_difference AS
 WITH walked AS (
         SELECT step.payment_id,
            (array_agg(step.state ORDER BY step.taken_at DESC, step.message_id DESC))[1] AS state
           FROM saga.step
          GROUP BY step.payment_id
        )
 SELECT ('payment '::text || payment_id) AS what,
    (('state '::text || COALESCE(w.state, 'of no step'::text)) || ' by its steps'::text) AS expected,
    COALESCE(p.state, 'no payment'::text) AS found
   FROM (saga.payment p
     FULL JOIN walked w USING (payment_id))
  WHERE (p.state IS DISTINCT FROM w.state)
UNION ALL
 SELECT ('payment '::text || payment.payment_id) AS what,
    ('decided before '::text || (payment.created_at + saga.audit_deadline())) AS expected,
    ('PENDING, awaiting '::text || payment.awaiting) AS found
   FROM saga.payment
  WHERE ((payment.state = 'PENDING'::text) AND (payment.created_at <= (now() - saga.audit_deadline())))
UNION ALL
 SELECT ('payment '::text || payment.payment_id) AS what,
    'refunded and reason as its state has them'::text AS expected,
    ((((((payment.state || ', '::text) || COALESCE(payment.reason, 'no reason'::text)) || ', refunded '::text) || payment.refunded) || ' of '::text) || payment.amount) AS found
   FROM saga.payment
  WHERE ((payment.refunded < 0) OR (payment.refunded > payment.amount) OR ((payment.state = 'DECLINED'::text) <> (payment.reason IS NOT NULL)) OR ((payment.state = 'REFUNDED'::text) <> ((payment.refunded = payment.amount) AND (payment.state <> 'DECLINED'::text))) OR ((payment.state = 'PARTIALLY_REFUNDED'::text) <> ((payment.refunded > 0) AND (payment.refunded < payment.amount) AND (payment.state <> 'DECLINED'::text))))
UNION ALL
 SELECT ((('reference '::text || COALESCE(r.reference, p.reference)) || ' of '::text) || COALESCE(r.customer_id, p.customer_id)) AS what,
    ('payment '::text || COALESCE((p.payment_id)::text, 'none'::text)) AS expected,
    ('payment '::text || COALESCE((r.payment_id)::text, 'none'::text)) AS found
   FROM (saga.reference r
     FULL JOIN ( SELECT payment.payment_id,
            payment.customer_id,
            payment.reference,
            payment.amount,
            payment.currency,
            payment.method,
            payment.state,
            payment.awaiting,
            payment.reason,
            payment.refunded,
            payment.trace_id,
            payment.created_at,
            payment.updated_at,
            payment.due_at,
            payment.sends
           FROM saga.payment
          WHERE (payment.reference IS NOT NULL)) p USING (payment_id))
  WHERE ((r.customer_id IS DISTINCT FROM p.customer_id) OR (r.reference IS DISTINCT FROM p.reference))
UNION ALL
 SELECT ('event '::text || outbox.message_id) AS what,
    'published'::text AS expected,
    ((outbox.event || ' in the outbox since '::text) || outbox.entered_at) AS found
   FROM saga.outbox
  WHERE (outbox.entered_at <= (now() - ops.audit_grace()))
UNION ALL
 SELECT ('webhook '::text || webhook.id) AS what,
    ('delivered or given up before '::text || webhook.expires_at) AS expected,
    (('pending after '::text || webhook.attempts) || ' attempt(s)'::text) AS found
   FROM saga.webhook
  WHERE ((webhook.state = 'pending'::text) AND (webhook.expires_at <= (now() - '1 day'::interval)));

COMMENT ON VIEW saga.audit_difference IS 'Each way in which payments, steps and references disagree';

CREATE TABLE saga.orphan (
    payment_id uuid NOT NULL,
    user_id text NOT NULL,
    amount text NOT NULL,
    message_id text NOT NULL,
    trace_id uuid NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE saga.orphan IS 'Debits of payments that are not known; their refund was asked for';

CREATE VIEW saga.audit_orphan AS
 SELECT orphan.payment_id,
    orphan.recorded_at,
    orphan.amount
   FROM saga.orphan;

COMMENT ON VIEW saga.audit_orphan IS 'Payments whose refund was asked for because nobody knows them';

CREATE VIEW saga.audit_payment AS
 SELECT payment.payment_id,
    payment.customer_id,
    payment.reference,
    payment.state,
    payment.reason,
    payment.amount,
    payment.currency,
    payment.refunded,
    payment.updated_at
   FROM saga.payment;

COMMENT ON VIEW saga.audit_payment IS 'What payments says of each payment';

CREATE VIEW saga.console_payment AS
 SELECT payment.payment_id,
    payment.customer_id,
    payment.reference,
    payment.amount,
    payment.refunded,
    payment.currency,
    payment.method,
    payment.state,
    payment.awaiting,
    payment.reason,
    payment.trace_id,
    payment.created_at,
    payment.updated_at,
    payment.due_at
   FROM saga.payment;

COMMENT ON VIEW saga.console_payment IS 'Payments as they stand; amounts in minor units';

CREATE VIEW saga.console_step AS
 SELECT step.payment_id,
    step.event,
    step.message_id,
    step.state,
    step.awaiting,
    step.trace_id,
    step.taken_at
   FROM saga.step;

COMMENT ON VIEW saga.console_step IS 'What happened to payments';

CREATE TABLE saga.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE saga.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE saga.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE saga.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE TABLE saga.payment_default (
    payment_id uuid NOT NULL,
    customer_id text NOT NULL,
    reference text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    state text DEFAULT 'PENDING'::text NOT NULL,
    awaiting text DEFAULT 'check'::text,
    reason text,
    refunded bigint DEFAULT 0 NOT NULL,
    trace_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    sends smallint DEFAULT 0 NOT NULL,
    CONSTRAINT payment_amount_check CHECK ((amount > 0)),
    CONSTRAINT payment_awaiting_check CHECK ((awaiting = ANY (ARRAY['check'::text, 'debit'::text]))),
    CONSTRAINT payment_check CHECK (((refunded >= 0) AND (refunded <= amount))),
    CONSTRAINT payment_check1 CHECK (((state = 'PENDING'::text) = (awaiting IS NOT NULL))),
    CONSTRAINT payment_check2 CHECK (((state = 'DECLINED'::text) = (reason IS NOT NULL))),
    CONSTRAINT payment_check3 CHECK (((state <> 'PARTIALLY_REFUNDED'::text) OR ((refunded > 0) AND (refunded < amount)))),
    CONSTRAINT payment_check4 CHECK (((state <> 'REFUNDED'::text) OR (refunded = amount))),
    CONSTRAINT payment_check5 CHECK (((refunded = 0) OR (state <> ALL (ARRAY['PENDING'::text, 'APPROVED'::text])))),
    CONSTRAINT payment_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_customer_id_check CHECK (((length(customer_id) >= 1) AND (length(customer_id) <= 255))),
    CONSTRAINT payment_method_check CHECK (((length(method) >= 1) AND (length(method) <= 50))),
    CONSTRAINT payment_reason_check CHECK ((reason = ANY (ARRAY['fraud_detected'::text, 'insufficient_funds'::text, 'unknown_wallet'::text, 'timed_out'::text]))),
    CONSTRAINT payment_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 255))),
    CONSTRAINT payment_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'DECLINED'::text, 'PARTIALLY_REFUNDED'::text, 'REFUNDED'::text])))
)
WITH (fillfactor='60');

CREATE VIEW saga.pending_state AS
 SELECT count(*) AS payments,
    (GREATEST(COALESCE(EXTRACT(epoch FROM (clock_timestamp() - min(payment.created_at))), (0)::numeric), (0)::numeric))::double precision AS oldest_age_seconds
   FROM saga.payment
  WHERE (payment.state = 'PENDING'::text);

COMMENT ON VIEW saga.pending_state IS 'How many payments nobody has decided yet, and since when';

CREATE VIEW saga.report_payment AS
 SELECT payment.payment_id,
    payment.created_at,
    payment.state,
    payment.reason,
    payment.amount,
    payment.currency,
    payment.refunded
   FROM saga.payment;

COMMENT ON VIEW saga.report_payment IS 'Payments for reports: nothing of who paid; amounts in minor units';

CREATE TABLE saga.step_default (
    payment_id uuid NOT NULL,
    event text NOT NULL,
    message_id text NOT NULL,
    state text NOT NULL,
    awaiting text,
    trace_id uuid NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT step_message_id_check CHECK ((length(message_id) <= 255))
);

CREATE TABLE saga.transition (
    from_state text NOT NULL,
    to_state text NOT NULL
);

COMMENT ON TABLE saga.transition IS 'Changes of state that there are; all others are refused';

CREATE TABLE saga.webhook_stop (
    stopped boolean DEFAULT true NOT NULL,
    webhook_id uuid NOT NULL,
    stopped_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_stop_stopped_check CHECK (stopped)
);

COMMENT ON TABLE saga.webhook_stop IS 'There is a row while the receiver wants no more webhooks';

CREATE TABLE staging.txn_shape (
    txn_id bigint,
    occurred_at timestamp with time zone,
    account_id integer,
    merchant_id integer,
    terminal_id integer,
    amount numeric(14,2),
    currency text,
    kind text,
    channel text,
    network text,
    status text,
    response_code text,
    original_txn_id bigint,
    is_fraud boolean,
    amount_raw text,
    line_id bigint
);

COMMENT ON TABLE staging.txn_shape IS 'Template of the tables that a run''s months are built in, see etl.create_builds; always empty';

CREATE TABLE traffic.lake_row (
    traffic_id bigint NOT NULL,
    row_id uuid NOT NULL,
    source_key text NOT NULL,
    same_as uuid NOT NULL,
    outcomes text[] NOT NULL
);

COMMENT ON TABLE traffic.lake_row IS 'The answer key of rows that a data lake was filled with';

CREATE VIEW traffic.audit_lake_row AS
 SELECT lake_row.traffic_id,
    lake_row.row_id,
    lake_row.source_key,
    lake_row.same_as,
    lake_row.outcomes
   FROM traffic.lake_row;

COMMENT ON VIEW traffic.audit_lake_row IS 'What each row of a run must have come to';

CREATE TABLE traffic.campaign (
    traffic_id bigint NOT NULL,
    campaign_id uuid NOT NULL,
    currency text NOT NULL,
    budget bigint NOT NULL,
    active boolean NOT NULL,
    CONSTRAINT campaign_budget_check CHECK ((budget > 0))
);

COMMENT ON TABLE traffic.campaign IS 'Campaigns that were made for a run';

CREATE TABLE traffic.partner_event (
    traffic_id bigint NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    campaign_id uuid,
    id_afiliado text,
    referencia_pago text,
    moneda text,
    spend bigint,
    payout bigint,
    expected text,
    told integer NOT NULL,
    answer text NOT NULL,
    CONSTRAINT partner_event_answer_check CHECK ((answer = ANY (ARRAY['created'::text, 'refused'::text, 'unknown'::text]))),
    CONSTRAINT partner_event_expected_check CHECK ((expected = ANY (ARRAY['paid'::text, 'spent'::text, 'spent or over_budget'::text, 'not_active'::text, 'wrong_currency'::text]))),
    CONSTRAINT partner_event_payout_check CHECK ((payout > 0)),
    CONSTRAINT partner_event_spend_check CHECK ((spend > 0)),
    CONSTRAINT partner_event_told_check CHECK ((told > 0)),
    CONSTRAINT partner_event_type_check CHECK ((type = ANY (ARRAY['click'::text, 'impression'::text, 'conversion'::text, 'payment'::text])))
);

COMMENT ON TABLE traffic.partner_event IS 'The answer key of partners'' events';

CREATE VIEW traffic.audit_partner_event AS
 SELECT e.traffic_id,
    e.source,
    e.event_id,
    e.type,
    e.campaign_id,
    e.id_afiliado,
    e.referencia_pago,
    e.moneda,
    e.spend,
    e.payout,
    e.expected,
    e.told,
    e.answer,
    c.currency,
    c.budget
   FROM (traffic.partner_event e
     LEFT JOIN traffic.campaign c USING (traffic_id, campaign_id));

COMMENT ON VIEW traffic.audit_partner_event IS 'What each event of a run must have come to';

CREATE TABLE traffic.payment (
    traffic_id bigint NOT NULL,
    reference text NOT NULL,
    customer_id text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    expected text NOT NULL,
    answer text NOT NULL,
    CONSTRAINT payment_amount_check CHECK ((amount > 0)),
    CONSTRAINT payment_answer_check CHECK ((answer = ANY (ARRAY['created'::text, 'refused'::text, 'unknown'::text]))),
    CONSTRAINT payment_expected_check CHECK ((expected = ANY (ARRAY['approved'::text, 'fraud_detected'::text, 'insufficient_funds'::text])))
);

COMMENT ON TABLE traffic.payment IS 'The answer key of payments that were asked for';

CREATE TABLE traffic.run (
    traffic_id bigint NOT NULL,
    spec jsonb NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone
);

COMMENT ON TABLE traffic.run IS 'One call of payments traffic; without ended_at its answer key is not whole';

CREATE VIEW traffic.audit_payment AS
 SELECT r.traffic_id,
    r.ended_at,
    p.reference,
    p.customer_id,
    p.currency,
    p.amount,
    p.expected,
    p.answer
   FROM (traffic.run r
     LEFT JOIN traffic.payment p USING (traffic_id));

COMMENT ON VIEW traffic.audit_payment IS 'What each payment of a run must have come to; a run without payments has a row too';

ALTER TABLE traffic.run ALTER COLUMN traffic_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME traffic.run_traffic_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW wallet.account AS
 SELECT account.account_id,
    account.currency
   FROM payments.account;

COMMENT ON VIEW wallet.account IS 'Accounts for which wallets are seeded';

CREATE TABLE wallet.decision (
    payment_id uuid NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    user_id text NOT NULL,
    wallet_id uuid,
    amount bigint,
    currency text,
    refunded bigint DEFAULT 0 NOT NULL,
    message_id text NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    seal bytea,
    CONSTRAINT decision_amount_check CHECK ((amount > 0)),
    CONSTRAINT decision_check CHECK (((outcome = 'approved'::text) = (seal IS NULL))),
    CONSTRAINT decision_check1 CHECK (((outcome = 'approved'::text) = (reason = 'success'::text))),
    CONSTRAINT decision_check2 CHECK (((outcome = 'cancelled'::text) = (reason = 'cancelled'::text))),
    CONSTRAINT decision_check3 CHECK (((outcome <> 'approved'::text) OR ((wallet_id IS NOT NULL) AND (amount IS NOT NULL) AND (currency IS NOT NULL)))),
    CONSTRAINT decision_check4 CHECK (((refunded = 0) OR ((outcome = 'approved'::text) AND (refunded <= amount)))),
    CONSTRAINT decision_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT decision_outcome_check CHECK ((outcome = ANY (ARRAY['approved'::text, 'declined'::text, 'cancelled'::text]))),
    CONSTRAINT decision_reason_check CHECK ((reason = ANY (ARRAY['success'::text, 'insufficient_funds'::text, 'unknown_wallet'::text, 'cancelled'::text]))),
    CONSTRAINT decision_refunded_check CHECK ((refunded >= 0)),
    CONSTRAINT decision_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 255)))
)
PARTITION BY RANGE (payment_id);

COMMENT ON TABLE wallet.decision IS 'What was decided about a payment, once; a repeated request is answered with it';

CREATE TABLE wallet.movement (
    movement_id uuid NOT NULL,
    cause_id uuid NOT NULL,
    kind text NOT NULL,
    from_id uuid NOT NULL,
    to_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    reference text,
    message_id text,
    moved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT movement_amount_check CHECK ((amount > 0)),
    CONSTRAINT movement_check CHECK ((to_id <> from_id)),
    CONSTRAINT movement_check1 CHECK (((kind = 'refund'::text) = (movement_id <> cause_id))),
    CONSTRAINT movement_check2 CHECK (((kind = ANY (ARRAY['refund'::text, 'credit'::text, 'withdrawal'::text])) = (reference IS NOT NULL))),
    CONSTRAINT movement_kind_check CHECK ((kind = ANY (ARRAY['debit'::text, 'refund'::text, 'credit'::text, 'withdrawal'::text, 'funding'::text]))),
    CONSTRAINT movement_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT movement_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 255)))
)
PARTITION BY RANGE (cause_id);

COMMENT ON TABLE wallet.movement IS 'Money from one wallet to another; final';

CREATE TABLE wallet.outbox (
    message_id uuid NOT NULL,
    event text NOT NULL,
    headers jsonb NOT NULL,
    body text NOT NULL,
    entered_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone
);

COMMENT ON TABLE wallet.outbox IS 'Events to be published; a row lives for milliseconds';

CREATE TABLE wallet.reference (
    wallet_id uuid NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    movement_id uuid NOT NULL,
    amount bigint NOT NULL,
    balance bigint NOT NULL,
    seal bytea NOT NULL,
    CONSTRAINT reference_amount_check CHECK ((amount > 0)),
    CONSTRAINT reference_kind_check CHECK ((kind = ANY (ARRAY['credit'::text, 'withdrawal'::text]))),
    CONSTRAINT reference_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 255)))
);

COMMENT ON TABLE wallet.reference IS 'Each reference takes effect once per wallet and kind; balance as it was answered';

CREATE TABLE wallet.seeding (
    currency text NOT NULL,
    wallets bigint NOT NULL,
    amount numeric NOT NULL
);

COMMENT ON TABLE wallet.seeding IS 'The answer key of seeded wallets: how many, and how much was put into them in minor units';

CREATE TABLE wallet.wallet (
    wallet_id uuid NOT NULL,
    kind text DEFAULT 'customer'::text NOT NULL,
    user_id text NOT NULL,
    currency text NOT NULL,
    balance bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT wallet_balance_check CHECK ((balance >= 0)),
    CONSTRAINT wallet_check CHECK (((kind = 'customer'::text) = (balance IS NOT NULL))),
    CONSTRAINT wallet_check1 CHECK (((closed_at IS NULL) OR (balance = 0))),
    CONSTRAINT wallet_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT wallet_kind_check CHECK ((kind = ANY (ARRAY['customer'::text, 'clearing'::text, 'funding'::text]))),
    CONSTRAINT wallet_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 255)))
)
WITH (fillfactor='70');

COMMENT ON TABLE wallet.wallet IS 'One open wallet per user and currency, and the clearing and funding ones of each currency';

CREATE VIEW wallet.audit_difference AS
 WITH moved AS (
         SELECT leg.wallet_id,
            sum(leg.amount) AS balance
           FROM ( SELECT movement.to_id AS wallet_id,
                    movement.amount
                   FROM wallet.movement
                UNION ALL
                 SELECT movement.from_id,
                    (- movement.amount)
                   FROM wallet.movement) leg
          GROUP BY leg.wallet_id
        ), paid AS (
         SELECT movement.cause_id AS payment_id,
            sum(movement.amount) FILTER (WHERE (movement.kind = 'debit'::text)) AS debited,
            COALESCE(sum(movement.amount) FILTER (WHERE (movement.kind = 'refund'::text)), (0)::numeric) AS refunded
           FROM wallet.movement
          WHERE (movement.kind = ANY (ARRAY['debit'::text, 'refund'::text]))
          GROUP BY movement.cause_id
        )
 SELECT ('wallet '::text || w.wallet_id) AS what,
    ((('balance of its movements '::text || COALESCE(m.balance, (0)::numeric)) || ' '::text) || w.currency) AS expected,
    COALESCE((w.balance)::text, 'none'::text) AS found
   FROM (wallet.wallet w
     LEFT JOIN moved m USING (wallet_id))
  WHERE ((w.kind = 'customer'::text) AND ((w.balance)::numeric IS DISTINCT FROM COALESCE(m.balance, (0)::numeric)))
UNION ALL
 SELECT ('payment '::text || payment_id) AS what,
    (((('debited '::text || COALESCE((p.debited)::text, 'nothing'::text)) || ', refunded '::text) || COALESCE(p.refunded, (0)::numeric)) || ' by movements'::text) AS expected,
    ((('decided '::text || COALESCE((d.amount)::text, 'nothing'::text)) || ', refunded '::text) || COALESCE(d.refunded, (0)::bigint)) AS found
   FROM (( SELECT decision.payment_id,
            decision.outcome,
            decision.reason,
            decision.user_id,
            decision.wallet_id,
            decision.amount,
            decision.currency,
            decision.refunded,
            decision.message_id,
            decision.decided_at,
            decision.seal
           FROM wallet.decision
          WHERE (decision.outcome = 'approved'::text)) d
     FULL JOIN paid p USING (payment_id))
  WHERE (((d.amount)::numeric IS DISTINCT FROM p.debited) OR ((d.refunded)::numeric IS DISTINCT FROM p.refunded))
UNION ALL
 SELECT ('movement '::text || m.movement_id) AS what,
        CASE m.kind
            WHEN 'debit'::text THEN 'from the wallet that its decision names to clearing, all of one currency'::text
            WHEN 'refund'::text THEN 'from clearing to a wallet of the user who paid, all of one currency'::text
            WHEN 'withdrawal'::text THEN 'from a customer to funding, all of one currency'::text
            ELSE 'from funding to a customer, all of one currency'::text
        END AS expected,
    ((((((m.kind || ' of '::text) || m.currency) || ' from '::text) || COALESCE(((((f.kind || ' '::text) || f.user_id) || ' '::text) || f.currency), 'nobody'::text)) || ' to '::text) || COALESCE(((((t.kind || ' '::text) || t.user_id) || ' '::text) || t.currency), 'nobody'::text)) AS found
   FROM (((wallet.movement m
     LEFT JOIN wallet.wallet f ON ((f.wallet_id = m.from_id)))
     LEFT JOIN wallet.wallet t ON ((t.wallet_id = m.to_id)))
     LEFT JOIN wallet.decision d ON (((d.payment_id = m.cause_id) AND (m.kind = ANY (ARRAY['debit'::text, 'refund'::text])))))
  WHERE ((f.currency IS DISTINCT FROM m.currency) OR (t.currency IS DISTINCT FROM m.currency) OR (f.kind IS DISTINCT FROM
        CASE
            WHEN (m.kind = ANY (ARRAY['debit'::text, 'withdrawal'::text])) THEN 'customer'::text
            WHEN (m.kind = 'refund'::text) THEN 'clearing'::text
            ELSE 'funding'::text
        END) OR (t.kind IS DISTINCT FROM
        CASE m.kind
            WHEN 'debit'::text THEN 'clearing'::text
            WHEN 'withdrawal'::text THEN 'funding'::text
            ELSE 'customer'::text
        END) OR ((m.kind = 'debit'::text) AND ((d.wallet_id IS DISTINCT FROM m.from_id) OR (d.user_id IS DISTINCT FROM f.user_id) OR (d.currency IS DISTINCT FROM m.currency))) OR ((m.kind = 'refund'::text) AND ((d.user_id IS DISTINCT FROM t.user_id) OR (d.currency IS DISTINCT FROM m.currency))))
UNION ALL
 SELECT ((('reference '::text || COALESCE(r.reference, m.reference)) || ' of wallet '::text) || COALESCE(r.wallet_id, m.wallet_id)) AS what,
    COALESCE(((m.kind || ' '::text) || m.amount), 'no movement'::text) AS expected,
    COALESCE(((r.kind || ' '::text) || r.amount), 'no reference'::text) AS found
   FROM (wallet.reference r
     FULL JOIN ( SELECT movement.movement_id,
            movement.kind,
            movement.amount,
            movement.reference,
                CASE movement.kind
                    WHEN 'credit'::text THEN movement.to_id
                    ELSE movement.from_id
                END AS wallet_id
           FROM wallet.movement
          WHERE (movement.kind = ANY (ARRAY['credit'::text, 'withdrawal'::text]))) m USING (movement_id))
  WHERE ((r.wallet_id IS DISTINCT FROM m.wallet_id) OR (r.kind IS DISTINCT FROM m.kind) OR (r.reference IS DISTINCT FROM m.reference) OR (r.amount IS DISTINCT FROM m.amount))
UNION ALL
 SELECT ('payment '::text || decision.payment_id) AS what,
    (decision.outcome || ' as its seal says'::text) AS expected,
    ((decision.outcome || ' '::text) || COALESCE(((decision.amount || ' '::text) || decision.currency), 'nothing'::text)) AS found
   FROM wallet.decision
  WHERE ((decision.outcome <> 'approved'::text) AND (decision.seal IS DISTINCT FROM wallet.seal(VARIADIC ARRAY[(decision.payment_id)::text, decision.outcome, decision.reason, decision.user_id, (decision.wallet_id)::text, (decision.amount)::text, decision.currency])))
UNION ALL
 SELECT ((('reference '::text || reference.reference) || ' of wallet '::text) || reference.wallet_id) AS what,
    'answered as its seal says'::text AS expected,
    ((((reference.kind || ' '::text) || reference.amount) || ', balance '::text) || reference.balance) AS found
   FROM wallet.reference
  WHERE (reference.seal IS DISTINCT FROM wallet.seal(VARIADIC ARRAY[(reference.wallet_id)::text, reference.kind, reference.reference, (reference.amount)::text, (reference.balance)::text]))
UNION ALL
 SELECT ('seeded wallets of '::text || currency) AS what,
    (COALESCE(s.amount, (0)::numeric) || ' put into them'::text) AS expected,
    (COALESCE(f.amount, (0)::numeric) || ' by movements'::text) AS found
   FROM (wallet.seeding s
     FULL JOIN ( SELECT movement.currency,
            sum(movement.amount) AS amount
           FROM wallet.movement
          WHERE (movement.kind = 'funding'::text)
          GROUP BY movement.currency) f USING (currency))
  WHERE (COALESCE(s.amount, (0)::numeric) <> COALESCE(f.amount, (0)::numeric))
UNION ALL
 SELECT ('event '::text || outbox.message_id) AS what,
    'published'::text AS expected,
    ((outbox.event || ' in the outbox since '::text) || outbox.entered_at) AS found
   FROM wallet.outbox
  WHERE (outbox.entered_at <= (now() - ops.audit_grace()));

COMMENT ON VIEW wallet.audit_difference IS 'Each way in which balances, decisions and movements disagree';

CREATE VIEW wallet.audit_payment AS
 SELECT d.payment_id,
    d.user_id,
    d.outcome,
    d.amount,
    d.currency,
    d.refunded,
    GREATEST(d.decided_at, r.refunded_at) AS changed_at
   FROM (wallet.decision d
     LEFT JOIN ( SELECT movement.cause_id AS payment_id,
            max(movement.moved_at) AS refunded_at
           FROM wallet.movement
          WHERE (movement.kind = 'refund'::text)
          GROUP BY movement.cause_id) r USING (payment_id));

COMMENT ON VIEW wallet.audit_payment IS 'What was decided about each payment, and what of it went back';

CREATE VIEW wallet.console_decision AS
 SELECT decision.payment_id,
    decision.outcome,
    decision.reason,
    decision.wallet_id,
    decision.currency,
    decision.refunded,
    decision.decided_at
   FROM wallet.decision;

COMMENT ON VIEW wallet.console_decision IS 'What was decided about payments; amounts in minor units';

CREATE VIEW wallet.console_movement AS
 SELECT movement.movement_id,
    movement.cause_id,
    movement.kind,
    movement.from_id,
    movement.to_id,
    movement.amount,
    movement.currency,
    movement.reference,
    movement.moved_at
   FROM wallet.movement;

COMMENT ON VIEW wallet.console_movement IS 'Movements; amounts in minor units';

CREATE VIEW wallet.console_wallet AS
 SELECT wallet.wallet_id,
    wallet.user_id,
    wallet.currency,
    wallet.balance,
    wallet.created_at,
    wallet.updated_at,
    wallet.closed_at
   FROM wallet.wallet
  WHERE (wallet.kind = 'customer'::text);

COMMENT ON VIEW wallet.console_wallet IS 'Customers'' wallets; balances in minor units';

CREATE TABLE wallet.decision_default (
    payment_id uuid NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    user_id text NOT NULL,
    wallet_id uuid,
    amount bigint,
    currency text,
    refunded bigint DEFAULT 0 NOT NULL,
    message_id text NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    seal bytea,
    CONSTRAINT decision_amount_check CHECK ((amount > 0)),
    CONSTRAINT decision_check CHECK (((outcome = 'approved'::text) = (seal IS NULL))),
    CONSTRAINT decision_check1 CHECK (((outcome = 'approved'::text) = (reason = 'success'::text))),
    CONSTRAINT decision_check2 CHECK (((outcome = 'cancelled'::text) = (reason = 'cancelled'::text))),
    CONSTRAINT decision_check3 CHECK (((outcome <> 'approved'::text) OR ((wallet_id IS NOT NULL) AND (amount IS NOT NULL) AND (currency IS NOT NULL)))),
    CONSTRAINT decision_check4 CHECK (((refunded = 0) OR ((outcome = 'approved'::text) AND (refunded <= amount)))),
    CONSTRAINT decision_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT decision_outcome_check CHECK ((outcome = ANY (ARRAY['approved'::text, 'declined'::text, 'cancelled'::text]))),
    CONSTRAINT decision_reason_check CHECK ((reason = ANY (ARRAY['success'::text, 'insufficient_funds'::text, 'unknown_wallet'::text, 'cancelled'::text]))),
    CONSTRAINT decision_refunded_check CHECK ((refunded >= 0)),
    CONSTRAINT decision_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 255)))
);

CREATE TABLE wallet.idempotency (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 510)))
);

COMMENT ON TABLE wallet.idempotency IS 'Answers to requests with an Idempotency-Key, for a day';

CREATE TABLE wallet.illegal_transition (
    message_id text NOT NULL,
    event text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE wallet.illegal_transition IS 'Events that came early or late, or contradict what is known: recorded, never applied';

CREATE TABLE wallet.movement_default (
    movement_id uuid NOT NULL,
    cause_id uuid NOT NULL,
    kind text NOT NULL,
    from_id uuid NOT NULL,
    to_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    reference text,
    message_id text,
    moved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT movement_amount_check CHECK ((amount > 0)),
    CONSTRAINT movement_check CHECK ((to_id <> from_id)),
    CONSTRAINT movement_check1 CHECK (((kind = 'refund'::text) = (movement_id <> cause_id))),
    CONSTRAINT movement_check2 CHECK (((kind = ANY (ARRAY['refund'::text, 'credit'::text, 'withdrawal'::text])) = (reference IS NOT NULL))),
    CONSTRAINT movement_kind_check CHECK ((kind = ANY (ARRAY['debit'::text, 'refund'::text, 'credit'::text, 'withdrawal'::text, 'funding'::text]))),
    CONSTRAINT movement_message_id_check CHECK ((length(message_id) <= 255)),
    CONSTRAINT movement_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 255)))
);

ALTER TABLE ONLY collector.delivery ATTACH PARTITION collector.delivery_default DEFAULT;

ALTER TABLE ONLY collector.event ATTACH PARTITION collector.event_default DEFAULT;

ALTER TABLE ONLY ingest.body ATTACH PARTITION ingest.body_default DEFAULT;

ALTER TABLE ONLY ingest.event ATTACH PARTITION ingest.event_default DEFAULT;

ALTER TABLE ONLY payouts.pago ATTACH PARTITION payouts.pago_default DEFAULT;

ALTER TABLE ONLY reports.event ATTACH PARTITION reports.event_default DEFAULT;

ALTER TABLE ONLY saga.payment ATTACH PARTITION saga.payment_default DEFAULT;

ALTER TABLE ONLY saga.step ATTACH PARTITION saga.step_default DEFAULT;

ALTER TABLE ONLY wallet.decision ATTACH PARTITION wallet.decision_default DEFAULT;

ALTER TABLE ONLY wallet.movement ATTACH PARTITION wallet.movement_default DEFAULT;

ALTER TABLE ONLY campaigns.campaign
    ADD CONSTRAINT campaign_campaign_id_currency_key UNIQUE (campaign_id, currency);

ALTER TABLE ONLY campaigns.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY campaigns.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (campaign_id, version);

ALTER TABLE ONLY campaigns.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY campaigns.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY campaigns.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY campaigns.sighting
    ADD CONSTRAINT sighting_pkey PRIMARY KEY (source, event_id);

ALTER TABLE ONLY campaigns.spend
    ADD CONSTRAINT spend_pkey PRIMARY KEY (source, event_id);

ALTER TABLE ONLY campaigns.transition
    ADD CONSTRAINT transition_pkey PRIMARY KEY (from_state, to_state);

ALTER TABLE ONLY collector.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id, destination);

ALTER TABLE ONLY collector.delivery_default
    ADD CONSTRAINT delivery_default_pkey PRIMARY KEY (id, destination);

ALTER TABLE ONLY collector.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY collector.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (id);

ALTER TABLE ONLY collector.event_key
    ADD CONSTRAINT event_key_id_key UNIQUE (id);

ALTER TABLE ONLY collector.event_key
    ADD CONSTRAINT event_key_pkey PRIMARY KEY (source, event_id);

ALTER TABLE ONLY collector.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY collector.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY collector.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY collector.payout
    ADD CONSTRAINT payout_id_key UNIQUE (id);

ALTER TABLE ONLY collector.payout
    ADD CONSTRAINT payout_pkey PRIMARY KEY (id_afiliado, referencia_pago);

ALTER TABLE ONLY collector.rate_limit
    ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (key);

ALTER TABLE ONLY collector.signed_request
    ADD CONSTRAINT signed_request_pkey PRIMARY KEY (source, webhook_id, signed_at);

ALTER TABLE ONLY console.action
    ADD CONSTRAINT action_key_key UNIQUE (key);

ALTER TABLE ONLY console.action
    ADD CONSTRAINT action_pkey PRIMARY KEY (action_id);

ALTER TABLE ONLY etl.chunk_class
    ADD CONSTRAINT chunk_class_pkey PRIMARY KEY (run_id, chunk_no, class);

ALTER TABLE ONLY etl.chunk
    ADD CONSTRAINT chunk_pkey PRIMARY KEY (run_id, chunk_no);

ALTER TABLE ONLY etl.failure
    ADD CONSTRAINT failure_run_id_step_chunk_no_month_key UNIQUE NULLS NOT DISTINCT (run_id, step, chunk_no, month);

ALTER TABLE ONLY etl.month
    ADD CONSTRAINT month_pkey PRIMARY KEY (month);

ALTER TABLE ONLY etl.population
    ADD CONSTRAINT population_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY etl.run
    ADD CONSTRAINT run_first_txn_id_key UNIQUE (first_txn_id);

ALTER TABLE ONLY etl.run_month
    ADD CONSTRAINT run_month_pkey PRIMARY KEY (run_id, month);

ALTER TABLE ONLY etl.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY etl.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (worker_id);

ALTER TABLE ONLY ingest.amount_day
    ADD CONSTRAINT amount_day_pkey PRIMARY KEY (day, provider, currency);

ALTER TABLE ONLY ingest.body
    ADD CONSTRAINT body_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ingest.body_default
    ADD CONSTRAINT body_default_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ingest.event_day
    ADD CONSTRAINT event_day_pkey PRIMARY KEY (day, provider, status, reason, code, method);

ALTER TABLE ONLY ingest.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ingest.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ingest.event_key
    ADD CONSTRAINT event_key_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY ingest.fx_rate
    ADD CONSTRAINT fx_rate_pkey PRIMARY KEY (currency, day);

ALTER TABLE ONLY ingest.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY ingest.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY ingest.learning_family
    ADD CONSTRAINT learning_family_pkey PRIMARY KEY (family);

ALTER TABLE ONLY ingest.learning_sample
    ADD CONSTRAINT learning_sample_pkey PRIMARY KEY (family, digest);

ALTER TABLE ONLY ingest.mapping
    ADD CONSTRAINT mapping_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ingest.model_call
    ADD CONSTRAINT model_call_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ingest.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY ingest.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (provider, payment_ref);

ALTER TABLE ONLY ingest.rate_limit
    ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (key);

ALTER TABLE ONLY monitor.conflict
    ADD CONSTRAINT conflict_pkey PRIMARY KEY (window_uuid, digest);

ALTER TABLE ONLY monitor.flip
    ADD CONSTRAINT flip_pkey PRIMARY KEY (window_uuid, state);

ALTER TABLE ONLY monitor.hearing
    ADD CONSTRAINT hearing_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY monitor.holder
    ADD CONSTRAINT holder_pkey PRIMARY KEY (holder);

ALTER TABLE ONLY monitor.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY monitor.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY monitor.marker
    ADD CONSTRAINT marker_pkey PRIMARY KEY (marker_id);

ALTER TABLE ONLY monitor.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY monitor.report
    ADD CONSTRAINT report_pkey PRIMARY KEY (window_uuid, seq);

ALTER TABLE ONLY monitor.report_window
    ADD CONSTRAINT report_window_id_key UNIQUE (id);

ALTER TABLE ONLY monitor.report_window
    ADD CONSTRAINT report_window_pkey PRIMARY KEY (window_uuid);

ALTER TABLE ONLY monitor.transition
    ADD CONSTRAINT transition_pkey PRIMARY KEY (from_state, to_state);

ALTER TABLE ONLY monitor.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);

ALTER TABLE ONLY monitor.webhook_stop
    ADD CONSTRAINT webhook_stop_pkey PRIMARY KEY (stopped);

ALTER TABLE ONLY ops.audit_result
    ADD CONSTRAINT audit_result_pkey PRIMARY KEY (latest);

ALTER TABLE ONLY ops.backup
    ADD CONSTRAINT backup_pkey PRIMARY KEY (backup_id);

ALTER TABLE ONLY ops.dead_letter_action_letter
    ADD CONSTRAINT dead_letter_action_letter_pkey PRIMARY KEY (action_id, letter_no);

ALTER TABLE ONLY ops.dead_letter_action
    ADD CONSTRAINT dead_letter_action_pkey PRIMARY KEY (action_id);

ALTER TABLE ONLY ops.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (letter_no);

ALTER TABLE ONLY ops.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (name_digest);

ALTER TABLE ONLY ops.module_migration
    ADD CONSTRAINT module_migration_pkey PRIMARY KEY (module, version);

ALTER TABLE ONLY ops.restore_drill
    ADD CONSTRAINT restore_drill_pkey PRIMARY KEY (drill_id);

ALTER TABLE ONLY payments.account
    ADD CONSTRAINT account_card_token_key UNIQUE (card_token);

ALTER TABLE ONLY payments.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY payments.agg_merchant_day
    ADD CONSTRAINT agg_merchant_day_pkey PRIMARY KEY (month, merchant_id, day, currency);

ALTER TABLE ONLY payments.agg_network_hour
    ADD CONSTRAINT agg_network_hour_pkey PRIMARY KEY (month, hour, network, channel, currency);

ALTER TABLE ONLY payments.merchant
    ADD CONSTRAINT merchant_pkey PRIMARY KEY (merchant_id);

ALTER TABLE ONLY payments.terminal
    ADD CONSTRAINT terminal_pkey PRIMARY KEY (terminal_id);

ALTER TABLE ONLY payments.txn
    ADD CONSTRAINT txn_pkey PRIMARY KEY (txn_id, occurred_at);

ALTER TABLE ONLY payments.txn_reject
    ADD CONSTRAINT txn_reject_pkey PRIMARY KEY (run_id, chunk_no, line_no);

ALTER TABLE ONLY payouts.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY payouts.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY payouts.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY payouts.outbox_total
    ADD CONSTRAINT outbox_total_pkey PRIMARY KEY (event, slot);

ALTER TABLE ONLY payouts.pago
    ADD CONSTRAINT pago_id_pago_monto_moneda_key UNIQUE (id_pago, monto, moneda);

ALTER TABLE ONLY payouts.pago_default
    ADD CONSTRAINT pago_default_id_pago_monto_moneda_key UNIQUE (id_pago, monto, moneda);

ALTER TABLE ONLY payouts.pago
    ADD CONSTRAINT pago_pkey PRIMARY KEY (id_pago);

ALTER TABLE ONLY payouts.pago_default
    ADD CONSTRAINT pago_default_pkey PRIMARY KEY (id_pago);

ALTER TABLE ONLY payouts.paid
    ADD CONSTRAINT paid_gateway_id_key UNIQUE (gateway_id);

ALTER TABLE ONLY payouts.paid
    ADD CONSTRAINT paid_pkey PRIMARY KEY (id_pago);

ALTER TABLE ONLY payouts.reference
    ADD CONSTRAINT reference_pkey PRIMARY KEY (id_afiliado, referencia_pago);

ALTER TABLE ONLY payouts.returned
    ADD CONSTRAINT returned_pkey PRIMARY KEY (id_pago);

ALTER TABLE ONLY payouts.transition
    ADD CONSTRAINT transition_pkey PRIMARY KEY (from_estado, to_estado);

ALTER TABLE ONLY reporter.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY reporter.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY reporter.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY reporter.process
    ADD CONSTRAINT process_pkey PRIMARY KEY (process);

ALTER TABLE ONLY reporter.report_window
    ADD CONSTRAINT report_window_id_key UNIQUE (id);

ALTER TABLE ONLY reporter.report_window
    ADD CONSTRAINT report_window_pkey PRIMARY KEY (window_uuid);

ALTER TABLE ONLY reporter.tick
    ADD CONSTRAINT tick_pkey PRIMARY KEY (window_uuid, seq);

ALTER TABLE ONLY reports.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (generation, campaign_id);

ALTER TABLE ONLY reports.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (aggregate_id, version);

ALTER TABLE ONLY reports.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (aggregate_id, version);

ALTER TABLE ONLY reports.generation
    ADD CONSTRAINT generation_pkey PRIMARY KEY (generation);

ALTER TABLE ONLY reports.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY reports.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY reports.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY reports.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY reports.payout_affiliate
    ADD CONSTRAINT payout_affiliate_pkey PRIMARY KEY (generation, affiliate, currency);

ALTER TABLE ONLY reports.payout_day
    ADD CONSTRAINT payout_day_pkey PRIMARY KEY (generation, day, currency, state);

ALTER TABLE ONLY reports.payout
    ADD CONSTRAINT payout_pkey PRIMARY KEY (generation, payout_id);

ALTER TABLE ONLY reports.switch
    ADD CONSTRAINT switch_pkey PRIMARY KEY (epoch);

ALTER TABLE ONLY saga.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY saga.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY saga.orphan
    ADD CONSTRAINT orphan_pkey PRIMARY KEY (payment_id);

ALTER TABLE ONLY saga.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY saga.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (payment_id);

ALTER TABLE ONLY saga.payment_default
    ADD CONSTRAINT payment_default_pkey PRIMARY KEY (payment_id);

ALTER TABLE ONLY saga.reference
    ADD CONSTRAINT reference_pkey PRIMARY KEY (customer_id, reference);

ALTER TABLE ONLY saga.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (payment_id, message_id, event);

ALTER TABLE ONLY saga.step_default
    ADD CONSTRAINT step_default_pkey PRIMARY KEY (payment_id, message_id, event);

ALTER TABLE ONLY saga.transition
    ADD CONSTRAINT transition_pkey PRIMARY KEY (from_state, to_state);

ALTER TABLE ONLY saga.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);

ALTER TABLE ONLY saga.webhook_stop
    ADD CONSTRAINT webhook_stop_pkey PRIMARY KEY (stopped);

ALTER TABLE ONLY traffic.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (traffic_id, campaign_id);

ALTER TABLE ONLY traffic.lake_row
    ADD CONSTRAINT lake_row_pkey PRIMARY KEY (traffic_id, row_id);

ALTER TABLE ONLY traffic.partner_event
    ADD CONSTRAINT partner_event_pkey PRIMARY KEY (traffic_id, source, event_id);

ALTER TABLE ONLY traffic.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (traffic_id, reference);

ALTER TABLE ONLY traffic.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (traffic_id);

ALTER TABLE ONLY wallet.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (payment_id);

ALTER TABLE ONLY wallet.decision_default
    ADD CONSTRAINT decision_default_pkey PRIMARY KEY (payment_id);

ALTER TABLE ONLY wallet.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key);

ALTER TABLE ONLY wallet.illegal_transition
    ADD CONSTRAINT illegal_transition_pkey PRIMARY KEY (message_id, event);

ALTER TABLE ONLY wallet.movement
    ADD CONSTRAINT movement_pkey PRIMARY KEY (cause_id, movement_id);

ALTER TABLE ONLY wallet.movement_default
    ADD CONSTRAINT movement_default_pkey PRIMARY KEY (cause_id, movement_id);

ALTER TABLE ONLY wallet.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY wallet.reference
    ADD CONSTRAINT reference_pkey PRIMARY KEY (wallet_id, kind, reference);

ALTER TABLE ONLY wallet.seeding
    ADD CONSTRAINT seeding_pkey PRIMARY KEY (currency);

ALTER TABLE ONLY wallet.wallet
    ADD CONSTRAINT wallet_pkey PRIMARY KEY (wallet_id);

ALTER TABLE ONLY wallet.wallet
    ADD CONSTRAINT wallet_wallet_id_currency_key UNIQUE (wallet_id, currency);

CREATE INDEX campaign_due_idx ON campaigns.campaign USING btree (ends_at) WHERE ((state <> 'COMPLETED'::text) AND (ends_at IS NOT NULL));

CREATE INDEX campaign_unannounced_idx ON campaigns.campaign USING btree (unannounced_since) WHERE (unannounced_since IS NOT NULL);

CREATE INDEX idempotency_by_age ON campaigns.idempotency USING btree (created_at);

CREATE INDEX sighting_by_age ON campaigns.sighting USING btree (seen_at);

CREATE INDEX delivery_open_idx ON ONLY collector.delivery USING btree (due_at) WHERE (awaited AND (outcome IS NULL) AND (state = 'sent'::text));

CREATE INDEX delivery_default_due_at_idx ON collector.delivery_default USING btree (due_at) WHERE (awaited AND (outcome IS NULL) AND (state = 'sent'::text));

CREATE INDEX idempotency_by_age ON collector.idempotency USING btree (created_at);

CREATE INDEX signed_request_by_age ON collector.signed_request USING btree (signed_at);

CREATE UNIQUE INDEX action_running_key ON console.action USING btree (thing) WHERE (state = 'running'::text);

CREATE INDEX event_by_body ON ONLY ingest.event USING btree (body_id) WHERE (place > 0);

CREATE INDEX event_by_mapping ON ONLY ingest.event USING btree (rule) WHERE (method = ANY (ARRAY['learned'::text, 'ai'::text]));

CREATE INDEX event_by_payment ON ONLY ingest.event USING btree (payment_ref, id) WHERE (payment_ref IS NOT NULL);

CREATE INDEX event_by_provider ON ONLY ingest.event USING btree (provider, id);

CREATE INDEX event_day_by_provider ON ingest.event_day USING btree (provider, day);

CREATE INDEX event_default_body_id_idx ON ingest.event_default USING btree (body_id) WHERE (place > 0);

CREATE INDEX event_unprocessed ON ONLY ingest.event USING btree (id) WHERE (status = 'UNPROCESSED'::text);

CREATE INDEX event_default_id_idx ON ingest.event_default USING btree (id) WHERE (status = 'UNPROCESSED'::text);

CREATE INDEX event_pending ON ONLY ingest.event USING btree (id) WHERE (code = 'AI_PENDING'::text);

CREATE INDEX event_default_id_idx1 ON ingest.event_default USING btree (id) WHERE (code = 'AI_PENDING'::text);

CREATE INDEX event_default_payment_ref_id_idx ON ingest.event_default USING btree (payment_ref, id) WHERE (payment_ref IS NOT NULL);

CREATE INDEX event_default_provider_id_idx ON ingest.event_default USING btree (provider, id);

CREATE INDEX event_repeating ON ONLY ingest.event USING btree (repeats) WHERE (repeats IS NOT NULL);

CREATE INDEX event_default_repeats_idx ON ingest.event_default USING btree (repeats) WHERE (repeats IS NOT NULL);

CREATE INDEX event_to_retry ON ONLY ingest.event USING btree (retry_at) WHERE (retry_at IS NOT NULL);

CREATE INDEX event_default_retry_at_idx ON ingest.event_default USING btree (retry_at) WHERE (retry_at IS NOT NULL);

CREATE INDEX event_default_rule_idx ON ingest.event_default USING btree (rule) WHERE (method = ANY (ARRAY['learned'::text, 'ai'::text]));

CREATE INDEX event_rare ON ONLY ingest.event USING btree (status, id) WHERE (status = ANY (ARRAY['FAILED'::text, 'REFUNDED'::text, 'CHARGEBACK'::text]));

CREATE INDEX event_default_status_id_idx ON ingest.event_default USING btree (status, id) WHERE (status = ANY (ARRAY['FAILED'::text, 'REFUNDED'::text, 'CHARGEBACK'::text]));

CREATE INDEX event_key_by_event ON ingest.event_key USING btree (id);

CREATE INDEX former_event_by_event ON ingest.former_event USING btree (event_id, changed_at);

CREATE INDEX idempotency_by_age ON ingest.idempotency USING btree (created_at);

CREATE INDEX learning_sample_by_age ON ingest.learning_sample USING btree (entered_at);

CREATE INDEX mapping_by_family ON ingest.mapping USING btree (family);

CREATE INDEX mapping_unsettled ON ingest.mapping USING btree (layout) WHERE is_unsettled;

CREATE INDEX model_call_by_age ON ingest.model_call USING btree (called_at);

CREATE INDEX conflict_age_idx ON monitor.conflict USING btree (created_at);

CREATE INDEX flip_age_idx ON monitor.flip USING btree (created_at);

CREATE INDEX idempotency_by_age ON monitor.idempotency USING btree (created_at);

CREATE INDEX marker_sent_idx ON monitor.marker USING btree (sent_at);

CREATE INDEX report_age_idx ON monitor.report USING btree (created_at);

CREATE INDEX report_window_age_idx ON monitor.report_window USING btree (created_at, id);

CREATE INDEX report_window_due_idx ON monitor.report_window USING btree (deadline) WHERE (state = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text]));

CREATE INDEX report_window_service_idx ON monitor.report_window USING btree (service, id);

CREATE INDEX report_window_state_idx ON monitor.report_window USING btree (state, id) WHERE (state = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text, 'ALERT'::text, 'RESOLVED_LATE'::text]));

CREATE INDEX webhook_due_idx ON monitor.webhook USING btree (next_at) WHERE (state = 'pending'::text);

CREATE INDEX webhook_ended_idx ON monitor.webhook USING btree (state, ended_at) WHERE (state <> 'pending'::text);

CREATE INDEX dead_letter_action_letter_by_id ON ops.dead_letter_action_letter USING btree (letter_id);

CREATE INDEX dead_letter_by_time ON ops.dead_letter USING btree (recorded_at);

CREATE INDEX dead_letter_by_trace ON ops.dead_letter USING btree (trace_id) WHERE (trace_id IS NOT NULL);

CREATE INDEX terminal_merchant_idx ON payments.terminal USING btree (merchant_id);

CREATE INDEX txn_account_idx ON ONLY payments.txn USING btree (account_id, occurred_at) WITH (deduplicate_items=off);

CREATE INDEX txn_merchant_idx ON ONLY payments.txn USING btree (merchant_id, occurred_at) WITH (deduplicate_items=off);

CREATE INDEX txn_original_idx ON ONLY payments.txn USING btree (original_txn_id) WHERE (original_txn_id IS NOT NULL);

CREATE INDEX idempotency_by_age ON payouts.idempotency USING btree (created_at);

CREATE INDEX pago_afiliado_idx ON ONLY payouts.pago USING btree (id_afiliado, id_pago);

CREATE INDEX pago_due_idx ON ONLY payouts.pago USING btree (due_at) WHERE (estado = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text]));

CREATE INDEX pago_default_due_at_idx ON payouts.pago_default USING btree (due_at) WHERE (estado = ANY (ARRAY['PENDIENTE'::text, 'PROCESANDO'::text]));

CREATE INDEX pago_default_id_afiliado_id_pago_idx ON payouts.pago_default USING btree (id_afiliado, id_pago);

CREATE INDEX idempotency_by_age ON reporter.idempotency USING btree (created_at);

CREATE INDEX report_window_age_idx ON reporter.report_window USING btree (created_at);

CREATE INDEX report_window_open_idx ON reporter.report_window USING btree (service) WHERE (audited_at IS NULL);

CREATE INDEX tick_age_idx ON reporter.tick USING btree (created_at);

CREATE INDEX tick_sending_idx ON reporter.tick USING btree (tried_at) WHERE (outcome = 'sending'::text);

CREATE INDEX event_position_idx ON ONLY reports.event USING btree ("position");

CREATE INDEX event_default_position_idx ON reports.event_default USING btree ("position");

CREATE UNIQUE INDEX generation_one_building ON reports.generation USING btree (state) WHERE (state = 'building'::text);

CREATE INDEX idempotency_by_age ON reports.idempotency USING btree (created_at);

CREATE INDEX payout_affiliate_largest_idx ON reports.payout_affiliate USING btree (generation, payouts DESC, affiliate, currency);

CREATE INDEX payout_parked_idx ON reports.payout USING btree (generation) WHERE (day IS NULL);

CREATE INDEX idempotency_by_age ON saga.idempotency USING btree (created_at);

CREATE INDEX payment_customer_idx ON ONLY saga.payment USING btree (customer_id, payment_id);

CREATE INDEX payment_default_customer_id_payment_id_idx ON saga.payment_default USING btree (customer_id, payment_id);

CREATE INDEX payment_due_idx ON ONLY saga.payment USING btree (due_at) WHERE (state = 'PENDING'::text);

CREATE INDEX payment_default_due_at_idx ON saga.payment_default USING btree (due_at) WHERE (state = 'PENDING'::text);

CREATE INDEX webhook_due_idx ON saga.webhook USING btree (next_at) WHERE (state = 'pending'::text);

CREATE INDEX webhook_ended_idx ON saga.webhook USING btree (state, ended_at) WHERE (state <> 'pending'::text);

CREATE INDEX idempotency_by_age ON wallet.idempotency USING btree (created_at);

CREATE INDEX movement_out_idx ON ONLY wallet.movement USING btree (from_id, moved_at, movement_id) WHERE (kind = ANY (ARRAY['debit'::text, 'withdrawal'::text]));

CREATE INDEX movement_default_from_id_moved_at_movement_id_idx ON wallet.movement_default USING btree (from_id, moved_at, movement_id) WHERE (kind = ANY (ARRAY['debit'::text, 'withdrawal'::text]));

CREATE INDEX movement_in_idx ON ONLY wallet.movement USING btree (to_id, moved_at, movement_id) WHERE (kind = ANY (ARRAY['refund'::text, 'credit'::text, 'funding'::text]));

CREATE INDEX movement_default_to_id_moved_at_movement_id_idx ON wallet.movement_default USING btree (to_id, moved_at, movement_id) WHERE (kind = ANY (ARRAY['refund'::text, 'credit'::text, 'funding'::text]));

CREATE UNIQUE INDEX wallet_open_key ON wallet.wallet USING btree (user_id, currency) WHERE ((closed_at IS NULL) AND (kind = 'customer'::text));

ALTER INDEX collector.delivery_open_idx ATTACH PARTITION collector.delivery_default_due_at_idx;

ALTER INDEX collector.delivery_pkey ATTACH PARTITION collector.delivery_default_pkey;

ALTER INDEX collector.event_pkey ATTACH PARTITION collector.event_default_pkey;

ALTER INDEX ingest.body_pkey ATTACH PARTITION ingest.body_default_pkey;

ALTER INDEX ingest.event_by_body ATTACH PARTITION ingest.event_default_body_id_idx;

ALTER INDEX ingest.event_unprocessed ATTACH PARTITION ingest.event_default_id_idx;

ALTER INDEX ingest.event_pending ATTACH PARTITION ingest.event_default_id_idx1;

ALTER INDEX ingest.event_by_payment ATTACH PARTITION ingest.event_default_payment_ref_id_idx;

ALTER INDEX ingest.event_pkey ATTACH PARTITION ingest.event_default_pkey;

ALTER INDEX ingest.event_by_provider ATTACH PARTITION ingest.event_default_provider_id_idx;

ALTER INDEX ingest.event_repeating ATTACH PARTITION ingest.event_default_repeats_idx;

ALTER INDEX ingest.event_to_retry ATTACH PARTITION ingest.event_default_retry_at_idx;

ALTER INDEX ingest.event_by_mapping ATTACH PARTITION ingest.event_default_rule_idx;

ALTER INDEX ingest.event_rare ATTACH PARTITION ingest.event_default_status_id_idx;

ALTER INDEX payouts.pago_due_idx ATTACH PARTITION payouts.pago_default_due_at_idx;

ALTER INDEX payouts.pago_afiliado_idx ATTACH PARTITION payouts.pago_default_id_afiliado_id_pago_idx;

ALTER INDEX payouts.pago_id_pago_monto_moneda_key ATTACH PARTITION payouts.pago_default_id_pago_monto_moneda_key;

ALTER INDEX payouts.pago_pkey ATTACH PARTITION payouts.pago_default_pkey;

ALTER INDEX reports.event_pkey ATTACH PARTITION reports.event_default_pkey;

ALTER INDEX reports.event_position_idx ATTACH PARTITION reports.event_default_position_idx;

ALTER INDEX saga.payment_customer_idx ATTACH PARTITION saga.payment_default_customer_id_payment_id_idx;

ALTER INDEX saga.payment_due_idx ATTACH PARTITION saga.payment_default_due_at_idx;

ALTER INDEX saga.payment_pkey ATTACH PARTITION saga.payment_default_pkey;

ALTER INDEX saga.step_pkey ATTACH PARTITION saga.step_default_pkey;

ALTER INDEX wallet.decision_pkey ATTACH PARTITION wallet.decision_default_pkey;

ALTER INDEX wallet.movement_out_idx ATTACH PARTITION wallet.movement_default_from_id_moved_at_movement_id_idx;

ALTER INDEX wallet.movement_pkey ATTACH PARTITION wallet.movement_default_pkey;

ALTER INDEX wallet.movement_in_idx ATTACH PARTITION wallet.movement_default_to_id_moved_at_movement_id_idx;

CREATE TRIGGER campaign_final BEFORE DELETE OR TRUNCATE ON campaigns.campaign FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER campaign_kept_in_order BEFORE UPDATE ON campaigns.campaign FOR EACH ROW EXECUTE FUNCTION campaigns.keep_campaign();

CREATE TRIGGER change_final BEFORE DELETE OR UPDATE OR TRUNCATE ON campaigns.change FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER sighting_final BEFORE UPDATE ON campaigns.sighting FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER spend_final BEFORE DELETE OR UPDATE OR TRUNCATE ON campaigns.spend FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER delivery_final BEFORE DELETE ON collector.delivery FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER delivery_kept BEFORE TRUNCATE ON collector.delivery FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER delivery_kept_in_order BEFORE UPDATE ON collector.delivery FOR EACH ROW EXECUTE FUNCTION collector.keep_delivery();

CREATE TRIGGER event_final BEFORE DELETE OR UPDATE ON collector.event FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_kept BEFORE TRUNCATE ON collector.event FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_key_final BEFORE DELETE OR UPDATE OR TRUNCATE ON collector.event_key FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER payout_final BEFORE DELETE OR UPDATE OR TRUNCATE ON collector.payout FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER rate_limit_unhurried BEFORE INSERT OR UPDATE ON collector.rate_limit FOR EACH STATEMENT EXECUTE FUNCTION ops.commit_without_waiting();

CREATE TRIGGER action_final BEFORE UPDATE ON console.action FOR EACH ROW EXECUTE FUNCTION console.keep_action();

CREATE TRIGGER action_kept BEFORE DELETE OR TRUNCATE ON console.action FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER body_final BEFORE DELETE OR UPDATE ON ingest.body FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER body_kept BEFORE TRUNCATE ON ingest.body FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_final BEFORE DELETE ON ingest.event FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_kept BEFORE TRUNCATE ON ingest.event FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_kept_in_order BEFORE UPDATE ON ingest.event FOR EACH ROW EXECUTE FUNCTION ingest.keep_event();

CREATE TRIGGER event_key_kept BEFORE UPDATE OR TRUNCATE ON ingest.event_key FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER former_event_final BEFORE DELETE OR UPDATE OR TRUNCATE ON ingest.former_event FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER mapping_final BEFORE DELETE ON ingest.mapping FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER mapping_kept BEFORE TRUNCATE ON ingest.mapping FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER mapping_kept_in_order BEFORE UPDATE ON ingest.mapping FOR EACH ROW EXECUTE FUNCTION ingest.keep_mapping();

CREATE TRIGGER model_call_kept BEFORE UPDATE OR TRUNCATE ON ingest.model_call FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER rate_limit_unhurried BEFORE INSERT OR UPDATE ON ingest.rate_limit FOR EACH STATEMENT EXECUTE FUNCTION ops.commit_without_waiting();

CREATE TRIGGER conflict_final BEFORE UPDATE ON monitor.conflict FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER conflict_kept BEFORE DELETE ON monitor.conflict FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();

CREATE TRIGGER flip_final BEFORE UPDATE ON monitor.flip FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER flip_kept BEFORE DELETE ON monitor.flip FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();

CREATE TRIGGER marker_final BEFORE UPDATE ON monitor.marker FOR EACH ROW WHEN (((new.sent_at <> old.sent_at) OR (new.back_at IS DISTINCT FROM COALESCE(old.back_at, new.back_at)))) EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER report_final BEFORE UPDATE ON monitor.report FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER report_kept BEFORE DELETE ON monitor.report FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();

CREATE TRIGGER report_kept_all BEFORE TRUNCATE ON monitor.report FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER report_of_window AFTER INSERT ON monitor.report FOR EACH ROW EXECUTE FUNCTION monitor.keep_report();

CREATE TRIGGER report_window_final BEFORE TRUNCATE ON monitor.report_window FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER report_window_kept BEFORE DELETE ON monitor.report_window FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();

CREATE TRIGGER report_window_kept_in_order BEFORE UPDATE ON monitor.report_window FOR EACH ROW EXECUTE FUNCTION monitor.keep_window();

CREATE TRIGGER dead_letter_bound AFTER INSERT ON ops.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION ops.forget_dead_letters();

CREATE TRIGGER outbox_retried AFTER UPDATE ON payouts.outbox REFERENCING OLD TABLE AS was NEW TABLE AS claimed FOR EACH STATEMENT EXECUTE FUNCTION payouts.count_retried();

CREATE TRIGGER outbox_sent AFTER DELETE ON payouts.outbox REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION payouts.count_sent();

CREATE TRIGGER pago_final BEFORE DELETE ON payouts.pago FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER pago_kept BEFORE TRUNCATE ON payouts.pago FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER pago_kept_in_order BEFORE UPDATE ON payouts.pago FOR EACH ROW EXECUTE FUNCTION payouts.keep_pago();

CREATE TRIGGER paid_final BEFORE DELETE OR UPDATE OR TRUNCATE ON payouts.paid FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER paid_of_success AFTER INSERT ON payouts.paid FOR EACH ROW EXECUTE FUNCTION payouts.require_success();

CREATE TRIGGER reference_final BEFORE DELETE OR UPDATE OR TRUNCATE ON payouts.reference FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER returned_final BEFORE DELETE OR UPDATE OR TRUNCATE ON payouts.returned FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER report_window_kept BEFORE DELETE ON reporter.report_window FOR EACH ROW EXECUTE FUNCTION reporter.refuse_young();

CREATE TRIGGER report_window_kept_all BEFORE TRUNCATE ON reporter.report_window FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER report_window_kept_in_order BEFORE UPDATE ON reporter.report_window FOR EACH ROW EXECUTE FUNCTION reporter.keep_window();

CREATE TRIGGER tick_kept BEFORE DELETE ON reporter.tick FOR EACH ROW EXECUTE FUNCTION reporter.refuse_young();

CREATE TRIGGER tick_kept_all BEFORE TRUNCATE ON reporter.tick FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER tick_kept_in_order BEFORE UPDATE ON reporter.tick FOR EACH ROW EXECUTE FUNCTION reporter.keep_tick();

CREATE TRIGGER event_final BEFORE DELETE OR UPDATE ON reports.event FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_kept BEFORE TRUNCATE ON reports.event FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER generation_final BEFORE DELETE OR TRUNCATE ON reports.generation FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER generation_in_order BEFORE UPDATE ON reports.generation FOR EACH ROW EXECUTE FUNCTION reports.keep_generation();

CREATE TRIGGER head_final BEFORE DELETE OR TRUNCATE ON reports.head FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER head_in_order BEFORE UPDATE ON reports.head FOR EACH ROW WHEN ((new."position" < old."position")) EXECUTE FUNCTION reports.keep_head();

CREATE TRIGGER switch_final BEFORE DELETE OR UPDATE OR TRUNCATE ON reports.switch FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER switch_in_order BEFORE INSERT ON reports.switch FOR EACH ROW EXECUTE FUNCTION reports.keep_switch();

CREATE TRIGGER orphan_final BEFORE DELETE OR UPDATE OR TRUNCATE ON saga.orphan FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER payment_final BEFORE DELETE ON saga.payment FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER payment_kept BEFORE TRUNCATE ON saga.payment FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER payment_kept_in_order BEFORE UPDATE ON saga.payment FOR EACH ROW WHEN (((new.state <> old.state) OR (old.awaiting IS NULL) OR ((old.awaiting = 'debit'::text) AND (new.awaiting = 'check'::text)))) EXECUTE FUNCTION saga.keep_payment();

CREATE TRIGGER payment_order_final BEFORE UPDATE OF payment_id, customer_id, reference, amount, currency, method, trace_id, created_at ON saga.payment FOR EACH ROW EXECUTE FUNCTION saga.keep_payment();

CREATE TRIGGER reference_final BEFORE DELETE OR UPDATE OR TRUNCATE ON saga.reference FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER step_final BEFORE DELETE OR UPDATE ON saga.step FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER step_kept BEFORE TRUNCATE ON saga.step FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER decision_final BEFORE DELETE OR UPDATE ON wallet.decision FOR EACH ROW EXECUTE FUNCTION wallet.keep_decision();

CREATE TRIGGER decision_kept BEFORE TRUNCATE ON wallet.decision FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER movement_final BEFORE DELETE OR UPDATE ON wallet.movement FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER movement_kept BEFORE TRUNCATE ON wallet.movement FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER reference_final BEFORE DELETE OR UPDATE OR TRUNCATE ON wallet.reference FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

ALTER TABLE ONLY campaigns.change
    ADD CONSTRAINT change_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns.campaign(campaign_id);

ALTER TABLE ONLY campaigns.spend
    ADD CONSTRAINT spend_campaign_id_campaign_currency_fkey FOREIGN KEY (campaign_id, campaign_currency) REFERENCES campaigns.campaign(campaign_id, currency);

ALTER TABLE ONLY etl.chunk_class
    ADD CONSTRAINT chunk_class_run_id_chunk_no_fkey FOREIGN KEY (run_id, chunk_no) REFERENCES etl.chunk(run_id, chunk_no) ON DELETE CASCADE;

ALTER TABLE ONLY etl.chunk
    ADD CONSTRAINT chunk_run_id_fkey FOREIGN KEY (run_id) REFERENCES etl.run(run_id);

ALTER TABLE ONLY etl.failure
    ADD CONSTRAINT failure_run_id_fkey FOREIGN KEY (run_id) REFERENCES etl.run(run_id);

ALTER TABLE ONLY etl.run_month
    ADD CONSTRAINT run_month_run_id_fkey FOREIGN KEY (run_id) REFERENCES etl.run(run_id);

ALTER TABLE ONLY ingest.learning_sample
    ADD CONSTRAINT learning_sample_mapping_id_fkey FOREIGN KEY (mapping_id) REFERENCES ingest.mapping(id);

ALTER TABLE ONLY monitor.conflict
    ADD CONSTRAINT conflict_window_uuid_fkey FOREIGN KEY (window_uuid) REFERENCES monitor.report_window(window_uuid);

ALTER TABLE ONLY monitor.flip
    ADD CONSTRAINT flip_window_uuid_fkey FOREIGN KEY (window_uuid) REFERENCES monitor.report_window(window_uuid);

ALTER TABLE ONLY monitor.report
    ADD CONSTRAINT report_window_uuid_fkey FOREIGN KEY (window_uuid) REFERENCES monitor.report_window(window_uuid);

ALTER TABLE ONLY ops.dead_letter_action_letter
    ADD CONSTRAINT dead_letter_action_letter_action_id_fkey FOREIGN KEY (action_id) REFERENCES ops.dead_letter_action(action_id);

ALTER TABLE ONLY payments.terminal
    ADD CONSTRAINT terminal_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES payments.merchant(merchant_id);

ALTER TABLE ONLY payouts.paid
    ADD CONSTRAINT paid_id_pago_monto_moneda_fkey FOREIGN KEY (id_pago, monto, moneda) REFERENCES payouts.pago(id_pago, monto, moneda);

ALTER TABLE ONLY payouts.returned
    ADD CONSTRAINT returned_id_pago_fkey FOREIGN KEY (id_pago) REFERENCES payouts.paid(id_pago);

ALTER TABLE ONLY reporter.tick
    ADD CONSTRAINT tick_window_uuid_fkey FOREIGN KEY (window_uuid) REFERENCES reporter.report_window(window_uuid);

ALTER TABLE ONLY reports.switch
    ADD CONSTRAINT switch_generation_fkey FOREIGN KEY (generation) REFERENCES reports.generation(generation);

ALTER TABLE ONLY traffic.campaign
    ADD CONSTRAINT campaign_traffic_id_fkey FOREIGN KEY (traffic_id) REFERENCES traffic.run(traffic_id) ON DELETE CASCADE;

ALTER TABLE ONLY traffic.lake_row
    ADD CONSTRAINT lake_row_traffic_id_fkey FOREIGN KEY (traffic_id) REFERENCES traffic.run(traffic_id) ON DELETE CASCADE;

ALTER TABLE ONLY traffic.partner_event
    ADD CONSTRAINT partner_event_traffic_id_fkey FOREIGN KEY (traffic_id) REFERENCES traffic.run(traffic_id) ON DELETE CASCADE;

ALTER TABLE ONLY traffic.payment
    ADD CONSTRAINT payment_traffic_id_fkey FOREIGN KEY (traffic_id) REFERENCES traffic.run(traffic_id) ON DELETE CASCADE;

ALTER TABLE wallet.decision
    ADD CONSTRAINT decision_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES wallet.wallet(wallet_id);

ALTER TABLE wallet.movement
    ADD CONSTRAINT movement_from_id_currency_fkey FOREIGN KEY (from_id, currency) REFERENCES wallet.wallet(wallet_id, currency);

ALTER TABLE wallet.movement
    ADD CONSTRAINT movement_to_id_currency_fkey FOREIGN KEY (to_id, currency) REFERENCES wallet.wallet(wallet_id, currency);

ALTER TABLE ONLY wallet.reference
    ADD CONSTRAINT reference_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES wallet.wallet(wallet_id);

GRANT USAGE ON SCHEMA campaigns TO payments_campaigns;
GRANT USAGE ON SCHEMA campaigns TO payments_loader;
GRANT USAGE ON SCHEMA campaigns TO payments_exporter;
GRANT USAGE ON SCHEMA campaigns TO payments_reader;
GRANT USAGE ON SCHEMA campaigns TO payments_console;

GRANT USAGE ON SCHEMA collector TO payments_collector;
GRANT USAGE ON SCHEMA collector TO payments_loader;
GRANT USAGE ON SCHEMA collector TO payments_exporter;
GRANT USAGE ON SCHEMA collector TO payments_console;

GRANT USAGE ON SCHEMA console TO payments_console;

GRANT USAGE ON SCHEMA etl TO payments_loader;
GRANT USAGE ON SCHEMA etl TO payments_exporter;
GRANT USAGE ON SCHEMA etl TO payments_console;

GRANT USAGE ON SCHEMA ingest TO payments_ingest;
GRANT USAGE ON SCHEMA ingest TO payments_loader;
GRANT USAGE ON SCHEMA ingest TO payments_exporter;
GRANT USAGE ON SCHEMA ingest TO payments_console;

GRANT USAGE ON SCHEMA monitor TO payments_monitor;
GRANT USAGE ON SCHEMA monitor TO payments_loader;
GRANT USAGE ON SCHEMA monitor TO payments_exporter;
GRANT USAGE ON SCHEMA monitor TO payments_console;

GRANT USAGE ON SCHEMA ops TO payments_loader;
GRANT USAGE ON SCHEMA ops TO payments_exporter;
GRANT USAGE ON SCHEMA ops TO payments_backup;
GRANT USAGE ON SCHEMA ops TO payments_app;
GRANT USAGE ON SCHEMA ops TO payments_console;
GRANT USAGE ON SCHEMA ops TO payments_saga;
GRANT USAGE ON SCHEMA ops TO payments_reader;
GRANT USAGE ON SCHEMA ops TO payments_wallet;
GRANT USAGE ON SCHEMA ops TO payments_payouts;
GRANT USAGE ON SCHEMA ops TO payments_campaigns;
GRANT USAGE ON SCHEMA ops TO payments_reports;
GRANT USAGE ON SCHEMA ops TO payments_collector;
GRANT USAGE ON SCHEMA ops TO payments_monitor;
GRANT USAGE ON SCHEMA ops TO payments_reporter;
GRANT USAGE ON SCHEMA ops TO payments_ingest;
GRANT USAGE ON SCHEMA ops TO payments_traffic;

GRANT USAGE ON SCHEMA payments TO payments_loader;
GRANT USAGE ON SCHEMA payments TO payments_reader;
GRANT USAGE ON SCHEMA payments TO payments_exporter;
GRANT USAGE ON SCHEMA payments TO payments_console;

GRANT USAGE ON SCHEMA payouts TO payments_payouts;
GRANT USAGE ON SCHEMA payouts TO payments_loader;
GRANT USAGE ON SCHEMA payouts TO payments_exporter;
GRANT USAGE ON SCHEMA payouts TO payments_reader;
GRANT USAGE ON SCHEMA payouts TO payments_console;

GRANT USAGE ON SCHEMA reporter TO payments_reporter;
GRANT USAGE ON SCHEMA reporter TO payments_loader;
GRANT USAGE ON SCHEMA reporter TO payments_exporter;
GRANT USAGE ON SCHEMA reporter TO payments_console;

GRANT USAGE ON SCHEMA reports TO payments_reports;
GRANT USAGE ON SCHEMA reports TO payments_loader;
GRANT USAGE ON SCHEMA reports TO payments_exporter;
GRANT USAGE ON SCHEMA reports TO payments_reader;
GRANT USAGE ON SCHEMA reports TO payments_console;

GRANT USAGE ON SCHEMA saga TO payments_saga;
GRANT USAGE ON SCHEMA saga TO payments_loader;
GRANT USAGE ON SCHEMA saga TO payments_exporter;
GRANT USAGE ON SCHEMA saga TO payments_reader;
GRANT USAGE ON SCHEMA saga TO payments_console;

GRANT USAGE ON SCHEMA staging TO payments_loader;

GRANT USAGE ON SCHEMA traffic TO payments_traffic;
GRANT USAGE ON SCHEMA traffic TO payments_loader;

GRANT USAGE ON SCHEMA wallet TO payments_wallet;
GRANT USAGE ON SCHEMA wallet TO payments_loader;
GRANT USAGE ON SCHEMA wallet TO payments_exporter;
GRANT USAGE ON SCHEMA wallet TO payments_console;

REVOKE ALL ON FUNCTION console.keep_action() FROM PUBLIC;

REVOKE ALL ON FUNCTION etl.attach_leaf(leaf text, month date) FROM PUBLIC;

REVOKE ALL ON FUNCTION etl.build_name(run text, month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.build_name(run text, month date) TO payments_loader;

REVOKE ALL ON FUNCTION etl.create_builds(run text, months date[], opens timestamp with time zone[], closes timestamp with time zone[], accepted jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.create_builds(run text, months date[], opens timestamp with time zone[], closes timestamp with time zone[], accepted jsonb) TO payments_loader;

REVOKE ALL ON FUNCTION etl.create_builds(run text, months date[], opens timestamp with time zone[], closes timestamp with time zone[], max_amount numeric, currencies text[], kinds text[], channels text[], networks text[], statuses text[], response_codes text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.create_builds(run text, months date[], opens timestamp with time zone[], closes timestamp with time zone[], max_amount numeric, currencies text[], kinds text[], channels text[], networks text[], statuses text[], response_codes text[]) TO payments_loader;

REVOKE ALL ON FUNCTION etl.create_healed_leaf(month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.create_healed_leaf(month date) TO payments_loader;

REVOKE ALL ON FUNCTION etl.drop_build(run text, month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.drop_build(run text, month date) TO payments_loader;

REVOKE ALL ON FUNCTION etl.hold_publishing() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.hold_publishing() TO payments_backup;

REVOKE ALL ON FUNCTION etl.index_healed_leaf(month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.index_healed_leaf(month date) TO payments_loader;

REVOKE ALL ON FUNCTION etl.index_leaf(leaf text) FROM PUBLIC;

REVOKE ALL ON FUNCTION etl.leaf_name(month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.leaf_name(month date) TO payments_loader;
GRANT ALL ON FUNCTION etl.leaf_name(month date) TO payments_exporter;
GRANT ALL ON FUNCTION etl.leaf_name(month date) TO payments_backup;
GRANT ALL ON FUNCTION etl.leaf_name(month date) TO payments_console;

REVOKE ALL ON FUNCTION etl.make_leaf(namespace text, leaf text, month date) FROM PUBLIC;

REVOKE ALL ON FUNCTION etl.publish_build(run text, month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.publish_build(run text, month date) TO payments_loader;

REVOKE ALL ON FUNCTION etl.swap_healed_leaf(month date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.swap_healed_leaf(month date) TO payments_loader;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(last_seq) ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(deadline) ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(state) ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(received) ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(errors) ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(closed_at) ON TABLE monitor.report_window TO payments_monitor;

GRANT UPDATE(decided_at) ON TABLE monitor.report_window TO payments_monitor;

REVOKE ALL ON FUNCTION ops.add_months(parent regclass, months integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_saga;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_wallet;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_payouts;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_campaigns;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_reports;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_collector;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_monitor;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_reporter;
GRANT ALL ON FUNCTION ops.add_months(parent regclass, months integer) TO payments_ingest;

REVOKE ALL ON FUNCTION ops.add_rate_limit(schema text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.add_service_tables(schema text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.add_webhook_tables(schema text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.forget_dead_letters() FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.outbox_state() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.outbox_state() TO payments_exporter;
GRANT ALL ON FUNCTION ops.outbox_state() TO payments_console;

REVOKE ALL ON FUNCTION ops.webhook_state() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.webhook_state() TO payments_exporter;
GRANT ALL ON FUNCTION ops.webhook_state() TO payments_saga;
GRANT ALL ON FUNCTION ops.webhook_state() TO payments_monitor;

REVOKE ALL ON FUNCTION payments.console_declines(month date, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.console_declines(month date, most integer) TO payments_console;

REVOKE ALL ON FUNCTION payouts.count_retried() FROM PUBLIC;

REVOKE ALL ON FUNCTION payouts.count_sent() FROM PUBLIC;

GRANT SELECT,INSERT ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(state) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(budget) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(spend) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(impressions) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(clicks) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(conversions) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(version) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(event_version) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(unannounced_since) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT UPDATE(updated_at) ON TABLE campaigns.campaign TO payments_campaigns;

GRANT SELECT ON TABLE campaigns.audit_campaign TO payments_loader;
GRANT SELECT ON TABLE campaigns.audit_campaign TO payments_exporter;

GRANT SELECT,INSERT ON TABLE campaigns.change TO payments_campaigns;

GRANT SELECT,INSERT,DELETE ON TABLE campaigns.outbox TO payments_campaigns;

GRANT UPDATE(claimed_until) ON TABLE campaigns.outbox TO payments_campaigns;

GRANT SELECT,INSERT,DELETE ON TABLE campaigns.sighting TO payments_campaigns;

GRANT UPDATE(seen_at) ON TABLE campaigns.sighting TO payments_campaigns;

GRANT SELECT,INSERT ON TABLE campaigns.spend TO payments_campaigns;

GRANT SELECT ON TABLE campaigns.audit_difference TO payments_loader;
GRANT SELECT ON TABLE campaigns.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE campaigns.audit_spend TO payments_loader;
GRANT SELECT ON TABLE campaigns.audit_spend TO payments_exporter;

GRANT SELECT ON TABLE campaigns.console_campaign TO payments_console;

GRANT SELECT ON TABLE campaigns.console_change TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE campaigns.idempotency TO payments_campaigns;

GRANT SELECT,INSERT ON TABLE campaigns.illegal_transition TO payments_campaigns;

GRANT SELECT ON TABLE campaigns.lag TO payments_exporter;

GRANT SELECT ON TABLE campaigns.report_campaign TO payments_reader;

GRANT SELECT ON TABLE campaigns.report_spend TO payments_reader;

GRANT SELECT ON TABLE campaigns.transition TO payments_campaigns;

GRANT SELECT,INSERT ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(state) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(outcome) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(reason) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(message_id) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(id_pago) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(version) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(changed_at) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(sends) ON TABLE collector.delivery TO payments_collector;

GRANT UPDATE(due_at) ON TABLE collector.delivery TO payments_collector;

GRANT SELECT,INSERT ON TABLE collector.event TO payments_collector;

GRANT SELECT,INSERT ON TABLE collector.event_key TO payments_collector;

GRANT SELECT ON TABLE collector.audit_event TO payments_loader;
GRANT SELECT ON TABLE collector.audit_event TO payments_exporter;

GRANT SELECT,INSERT,DELETE ON TABLE collector.outbox TO payments_collector;

GRANT UPDATE(claimed_until) ON TABLE collector.outbox TO payments_collector;

GRANT SELECT,INSERT ON TABLE collector.payout TO payments_collector;

GRANT SELECT ON TABLE collector.audit_difference TO payments_loader;
GRANT SELECT ON TABLE collector.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE collector.audit_payout TO payments_loader;
GRANT SELECT ON TABLE collector.audit_payout TO payments_exporter;

GRANT SELECT ON TABLE collector.console_event TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE collector.idempotency TO payments_collector;

GRANT SELECT,INSERT ON TABLE collector.illegal_transition TO payments_collector;

GRANT SELECT ON TABLE collector.open_delivery TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE collector.rate_limit TO payments_collector;

GRANT SELECT,INSERT,DELETE ON TABLE collector.signed_request TO payments_collector;

GRANT SELECT ON TABLE console.action TO payments_console;

GRANT INSERT(key) ON TABLE console.action TO payments_console;

GRANT INSERT(fingerprint) ON TABLE console.action TO payments_console;

GRANT INSERT(kind) ON TABLE console.action TO payments_console;

GRANT INSERT(subject) ON TABLE console.action TO payments_console;

GRANT INSERT(asked) ON TABLE console.action TO payments_console;

GRANT INSERT(thing) ON TABLE console.action TO payments_console;

GRANT UPDATE(state) ON TABLE console.action TO payments_console;

GRANT UPDATE(result) ON TABLE console.action TO payments_console;

GRANT UPDATE(failure) ON TABLE console.action TO payments_console;

GRANT INSERT(who) ON TABLE console.action TO payments_console;

GRANT INSERT(why) ON TABLE console.action TO payments_console;

GRANT INSERT(trace_id) ON TABLE console.action TO payments_console;

GRANT UPDATE(ended_at) ON TABLE console.action TO payments_console;

GRANT INSERT(leased_until),UPDATE(leased_until) ON TABLE console.action TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.chunk TO payments_loader;
GRANT SELECT ON TABLE etl.chunk TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.chunk_class TO payments_loader;
GRANT SELECT ON TABLE etl.chunk_class TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.failure TO payments_loader;
GRANT SELECT ON TABLE etl.failure TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.run TO payments_loader;
GRANT SELECT ON TABLE etl.run TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.run_month TO payments_loader;
GRANT SELECT ON TABLE etl.run_month TO payments_exporter;

GRANT SELECT ON TABLE ops.dead_letter_action TO payments_loader;
GRANT SELECT ON TABLE ops.dead_letter_action TO payments_exporter;

GRANT INSERT(action) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT INSERT(queue) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT INSERT(letter_id) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT INSERT(error_code) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT INSERT(os_user) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT INSERT(host) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT UPDATE(finished_at) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT UPDATE(state) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT INSERT(letters_total) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT UPDATE(letters_selected) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT UPDATE(letters_done) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT UPDATE(failure) ON TABLE ops.dead_letter_action TO payments_loader;

GRANT SELECT ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(action_id) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(letter_no) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(letter_id) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(error_code) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(last_failed_at) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(body_bytes) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(body_sha256) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT INSERT(body_preview) ON TABLE ops.dead_letter_action_letter TO payments_loader;

GRANT SELECT ON TABLE etl.standing_failure TO payments_loader;
GRANT SELECT ON TABLE etl.standing_failure TO payments_exporter;

GRANT SELECT ON TABLE etl.console_failure TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.month TO payments_loader;
GRANT SELECT ON TABLE etl.month TO payments_exporter;

GRANT SELECT ON TABLE etl.console_month TO payments_console;

GRANT SELECT ON TABLE etl.run_progress TO payments_loader;
GRANT SELECT ON TABLE etl.run_progress TO payments_exporter;

GRANT SELECT ON TABLE etl.console_run TO payments_console;

GRANT SELECT ON TABLE etl.console_run_month TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.worker TO payments_loader;
GRANT SELECT ON TABLE etl.worker TO payments_exporter;

GRANT SELECT ON TABLE etl.console_worker TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE etl.population TO payments_loader;
GRANT SELECT ON TABLE etl.population TO payments_exporter;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.amount_day TO payments_ingest;

GRANT SELECT,INSERT ON TABLE ingest.body TO payments_ingest;

GRANT SELECT,INSERT ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(provider) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(rule) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(method) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(confidence) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(status) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(code) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(detail) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(reason) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(undoes) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(amount) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(amount_minor) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(currency) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(amount_usd) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(fx_day) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(merchant) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(country) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(occurred_at) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(provider_event_id) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(payment_ref) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(dedup_key) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(metadata) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(provenance) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(latency_ms) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(repeats) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(attempts) ON TABLE ingest.event TO payments_ingest;

GRANT UPDATE(retry_at) ON TABLE ingest.event TO payments_ingest;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.event_day TO payments_ingest;

GRANT SELECT,INSERT,DELETE ON TABLE ingest.event_key TO payments_ingest;

GRANT SELECT,INSERT,DELETE ON TABLE ingest.outbox TO payments_ingest;

GRANT UPDATE(claimed_until) ON TABLE ingest.outbox TO payments_ingest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.payment TO payments_ingest;

GRANT SELECT ON TABLE ingest.audit_difference TO payments_loader;
GRANT SELECT ON TABLE ingest.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE ingest.audit_event TO payments_loader;
GRANT SELECT ON TABLE ingest.audit_event TO payments_exporter;

GRANT SELECT ON TABLE ingest.console_body TO payments_console;

GRANT SELECT ON TABLE ingest.console_event TO payments_console;

GRANT SELECT,INSERT ON TABLE ingest.former_event TO payments_ingest;

GRANT SELECT ON TABLE ingest.console_former_event TO payments_console;

GRANT SELECT,INSERT ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(mapping) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(paths) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(state) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(votes) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(confirmations) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(waits_for) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(is_unsettled) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(decided_by) ON TABLE ingest.mapping TO payments_ingest;

GRANT UPDATE(changed_at) ON TABLE ingest.mapping TO payments_ingest;

GRANT SELECT ON TABLE ingest.console_mapping TO payments_console;

GRANT SELECT ON TABLE ingest.console_payment TO payments_console;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.fx_rate TO payments_ingest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.idempotency TO payments_ingest;

GRANT SELECT,INSERT ON TABLE ingest.illegal_transition TO payments_ingest;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.learning_family TO payments_ingest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.learning_sample TO payments_ingest;

GRANT SELECT,INSERT ON TABLE ingest.model_call TO payments_ingest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.rate_limit TO payments_ingest;

GRANT SELECT ON TABLE ingest.round_share TO payments_exporter;

GRANT SELECT ON TABLE ingest.unprocessed_state TO payments_exporter;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.report TO payments_monitor;

GRANT UPDATE(created_at) ON TABLE monitor.report TO payments_monitor;

GRANT SELECT ON TABLE monitor.audit_difference TO payments_loader;
GRANT SELECT ON TABLE monitor.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE monitor.hearing TO payments_monitor;

GRANT UPDATE(since) ON TABLE monitor.hearing TO payments_monitor;

GRANT UPDATE(last_at) ON TABLE monitor.hearing TO payments_monitor;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE monitor.holder TO payments_monitor;

GRANT SELECT ON TABLE monitor.lease TO payments_monitor;

GRANT SELECT ON TABLE monitor.audit_held TO payments_loader;

GRANT SELECT ON TABLE monitor.audit_window TO payments_loader;

GRANT SELECT ON TABLE monitor.audit_report TO payments_loader;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.conflict TO payments_monitor;

GRANT UPDATE(created_at) ON TABLE monitor.conflict TO payments_monitor;

GRANT SELECT ON TABLE monitor.console_report TO payments_console;

GRANT SELECT ON TABLE monitor.console_window TO payments_console;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.flip TO payments_monitor;

GRANT UPDATE(created_at) ON TABLE monitor.flip TO payments_monitor;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE monitor.idempotency TO payments_monitor;

GRANT SELECT,INSERT ON TABLE monitor.illegal_transition TO payments_monitor;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE monitor.marker TO payments_monitor;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.outbox TO payments_monitor;

GRANT UPDATE(claimed_until) ON TABLE monitor.outbox TO payments_monitor;

GRANT SELECT ON TABLE monitor.service_state TO payments_exporter;
GRANT SELECT ON TABLE monitor.service_state TO payments_console;

GRANT SELECT ON TABLE monitor.state TO payments_exporter;
GRANT SELECT ON TABLE monitor.state TO payments_console;

GRANT SELECT ON TABLE monitor.transition TO payments_monitor;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.webhook TO payments_monitor;

GRANT UPDATE(state) ON TABLE monitor.webhook TO payments_monitor;

GRANT UPDATE(attempts) ON TABLE monitor.webhook TO payments_monitor;

GRANT UPDATE(last_result) ON TABLE monitor.webhook TO payments_monitor;

GRANT UPDATE(next_at) ON TABLE monitor.webhook TO payments_monitor;

GRANT UPDATE(expires_at) ON TABLE monitor.webhook TO payments_monitor;

GRANT UPDATE(ended_at) ON TABLE monitor.webhook TO payments_monitor;

GRANT SELECT,INSERT,DELETE ON TABLE monitor.webhook_stop TO payments_monitor;

GRANT SELECT ON TABLE monitor.window_count TO payments_monitor;
GRANT SELECT ON TABLE monitor.window_count TO payments_console;

GRANT SELECT,INSERT,UPDATE ON TABLE ops.audit_result TO payments_loader;
GRANT SELECT ON TABLE ops.audit_result TO payments_exporter;

GRANT SELECT ON TABLE ops.backup TO payments_loader;
GRANT SELECT ON TABLE ops.backup TO payments_exporter;
GRANT INSERT ON TABLE ops.backup TO payments_backup;

GRANT SELECT ON TABLE ops.restore_drill TO payments_loader;
GRANT SELECT ON TABLE ops.restore_drill TO payments_exporter;

GRANT INSERT(backup_id) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(place) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(state) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(started_at) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(finished_at) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(restore_ms) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(verify_ms) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(differences) ON TABLE ops.restore_drill TO payments_backup;

GRANT INSERT(failure) ON TABLE ops.restore_drill TO payments_backup;

GRANT SELECT ON TABLE ops.backup_status TO payments_loader;
GRANT SELECT ON TABLE ops.backup_status TO payments_exporter;

GRANT SELECT ON TABLE ops.console_audit_result TO payments_console;

GRANT SELECT ON TABLE ops.console_backup TO payments_console;

GRANT SELECT ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(queue) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(queue) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(consumer) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(consumer) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(event) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(event) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(message_id) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(message_id) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(trace_id) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(trace_id) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(code) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(code) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(last_code) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(last_code) ON TABLE ops.dead_letter TO payments_loader;

GRANT INSERT(attempts) ON TABLE ops.dead_letter TO payments_app;
GRANT INSERT(attempts) ON TABLE ops.dead_letter TO payments_loader;

GRANT SELECT ON TABLE ops.console_dead_letter TO payments_console;

GRANT SELECT ON TABLE ops.console_drill TO payments_console;

GRANT SELECT ON TABLE ops.console_replay TO payments_console;

GRANT SELECT ON TABLE ops.erasure TO payments_wallet;

GRANT SELECT ON TABLE ops.module_migration TO payments_loader;
GRANT SELECT ON TABLE ops.module_migration TO payments_exporter;
GRANT SELECT ON TABLE ops.module_migration TO payments_saga;
GRANT SELECT ON TABLE ops.module_migration TO payments_wallet;
GRANT SELECT ON TABLE ops.module_migration TO payments_payouts;
GRANT SELECT ON TABLE ops.module_migration TO payments_campaigns;
GRANT SELECT ON TABLE ops.module_migration TO payments_reports;
GRANT SELECT ON TABLE ops.module_migration TO payments_collector;
GRANT SELECT ON TABLE ops.module_migration TO payments_monitor;
GRANT SELECT ON TABLE ops.module_migration TO payments_reporter;
GRANT SELECT ON TABLE ops.module_migration TO payments_ingest;
GRANT SELECT ON TABLE ops.module_migration TO payments_console;
GRANT SELECT ON TABLE ops.module_migration TO payments_traffic;

GRANT SELECT ON TABLE ops.migration TO payments_loader;
GRANT SELECT ON TABLE ops.migration TO payments_exporter;

GRANT SELECT,INSERT ON TABLE payments.account TO payments_loader;
GRANT SELECT ON TABLE payments.account TO payments_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.agg_merchant_day TO payments_loader;
GRANT SELECT ON TABLE payments.agg_merchant_day TO payments_reader;
GRANT SELECT ON TABLE payments.agg_merchant_day TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.agg_network_hour TO payments_loader;
GRANT SELECT ON TABLE payments.agg_network_hour TO payments_reader;
GRANT SELECT ON TABLE payments.agg_network_hour TO payments_exporter;

GRANT SELECT,INSERT ON TABLE payments.merchant TO payments_loader;
GRANT SELECT ON TABLE payments.merchant TO payments_reader;

GRANT SELECT ON TABLE payments.console_merchant_day TO payments_console;

GRANT SELECT ON TABLE payments.console_network_hour TO payments_console;

GRANT SELECT,INSERT ON TABLE payments.terminal TO payments_loader;
GRANT SELECT ON TABLE payments.terminal TO payments_reader;

GRANT SELECT,INSERT ON TABLE payments.txn TO payments_loader;
GRANT SELECT ON TABLE payments.txn TO payments_reader;

GRANT SELECT,INSERT,DELETE ON TABLE payments.txn_reject TO payments_loader;
GRANT SELECT ON TABLE payments.txn_reject TO payments_reader;

GRANT SELECT,INSERT,DELETE ON TABLE payouts.outbox TO payments_payouts;

GRANT UPDATE(claimed_until) ON TABLE payouts.outbox TO payments_payouts;

GRANT SELECT,INSERT ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(estado) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(motivo) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(updated_at) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(gateway_key) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(sent_at) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(gateway_id) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(ended) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(due_at) ON TABLE payouts.pago TO payments_payouts;

GRANT UPDATE(takes) ON TABLE payouts.pago TO payments_payouts;

GRANT SELECT,INSERT ON TABLE payouts.paid TO payments_payouts;

GRANT SELECT,INSERT ON TABLE payouts.reference TO payments_payouts;

GRANT SELECT,INSERT ON TABLE payouts.returned TO payments_payouts;

GRANT SELECT ON TABLE payouts.audit_difference TO payments_loader;
GRANT SELECT ON TABLE payouts.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE payouts.audit_pago TO payments_loader;
GRANT SELECT ON TABLE payouts.audit_pago TO payments_exporter;

GRANT SELECT ON TABLE payouts.console_outbox TO payments_console;

GRANT SELECT ON TABLE payouts.console_pago TO payments_console;

GRANT SELECT ON TABLE payouts.console_paid TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payouts.idempotency TO payments_payouts;

GRANT SELECT,INSERT ON TABLE payouts.illegal_transition TO payments_payouts;

GRANT SELECT ON TABLE payouts.open_state TO payments_exporter;
GRANT SELECT ON TABLE payouts.open_state TO payments_console;

GRANT SELECT ON TABLE payouts.outbox_total TO payments_payouts;

GRANT SELECT ON TABLE payouts.report_pago TO payments_exporter;
GRANT SELECT ON TABLE payouts.report_pago TO payments_reader;

GRANT SELECT ON TABLE payouts.transition TO payments_payouts;

GRANT SELECT ON TABLE public.heartbeat_events TO payments_reader;
GRANT SELECT ON TABLE public.heartbeat_events TO payments_exporter;
GRANT SELECT ON TABLE public.heartbeat_events TO payments_monitor;
GRANT SELECT ON TABLE public.heartbeat_events TO payments_loader;

GRANT SELECT ON TABLE public.monitoring_windows TO payments_reader;
GRANT SELECT ON TABLE public.monitoring_windows TO payments_exporter;
GRANT SELECT ON TABLE public.monitoring_windows TO payments_monitor;
GRANT SELECT ON TABLE public.monitoring_windows TO payments_loader;

GRANT SELECT,INSERT,DELETE ON TABLE reporter.report_window TO payments_reporter;

GRANT UPDATE(process) ON TABLE reporter.report_window TO payments_reporter;

GRANT UPDATE(audited_at) ON TABLE reporter.report_window TO payments_reporter;

GRANT SELECT,INSERT,DELETE ON TABLE reporter.tick TO payments_reporter;

GRANT UPDATE(outcome) ON TABLE reporter.tick TO payments_reporter;

GRANT UPDATE(tried_at) ON TABLE reporter.tick TO payments_reporter;

GRANT SELECT ON TABLE public.report_audit TO payments_reader;
GRANT SELECT ON TABLE public.report_audit TO payments_exporter;
GRANT SELECT ON TABLE public.report_audit TO payments_reporter;
GRANT SELECT ON TABLE public.report_audit TO payments_loader;

GRANT SELECT ON TABLE public.report_windows TO payments_reader;
GRANT SELECT ON TABLE public.report_windows TO payments_exporter;
GRANT SELECT ON TABLE public.report_windows TO payments_reporter;
GRANT SELECT ON TABLE public.report_windows TO payments_loader;

GRANT SELECT ON TABLE reporter.audit_window TO payments_loader;

GRANT SELECT ON TABLE reporter.audit_difference TO payments_loader;
GRANT SELECT ON TABLE reporter.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE reporter.audit_tick TO payments_loader;

GRANT SELECT ON TABLE reporter.console_tick TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reporter.idempotency TO payments_reporter;

GRANT SELECT,INSERT ON TABLE reporter.illegal_transition TO payments_reporter;

GRANT SELECT,INSERT,DELETE ON TABLE reporter.outbox TO payments_reporter;

GRANT UPDATE(claimed_until) ON TABLE reporter.outbox TO payments_reporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reporter.process TO payments_reporter;

GRANT SELECT ON TABLE reporter.state TO payments_exporter;

GRANT SELECT,INSERT ON TABLE reports.event TO payments_reports;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reports.campaign TO payments_reports;

GRANT SELECT ON TABLE reports.head TO payments_reports;

GRANT UPDATE("position") ON TABLE reports.head TO payments_reports;

GRANT UPDATE(applied_at) ON TABLE reports.head TO payments_reports;

GRANT SELECT,INSERT ON TABLE reports.switch TO payments_reports;

GRANT SELECT ON TABLE reports.served TO payments_reports;
GRANT SELECT ON TABLE reports.served TO payments_console;

GRANT SELECT ON TABLE reports.audit_campaign TO payments_loader;
GRANT SELECT ON TABLE reports.audit_campaign TO payments_exporter;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reports.payout TO payments_reports;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reports.payout_affiliate TO payments_reports;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reports.payout_day TO payments_reports;

GRANT SELECT ON TABLE reports.content TO payments_reports;

GRANT SELECT,INSERT ON TABLE reports.generation TO payments_reports;

GRANT UPDATE(state) ON TABLE reports.generation TO payments_reports;

GRANT UPDATE("position") ON TABLE reports.generation TO payments_reports;

GRANT UPDATE(changed_at) ON TABLE reports.generation TO payments_reports;

GRANT UPDATE(shown_differences) ON TABLE reports.generation TO payments_reports;

GRANT UPDATE(shown_position) ON TABLE reports.generation TO payments_reports;

GRANT UPDATE(rebuilder) ON TABLE reports.generation TO payments_reports;

GRANT UPDATE(leased_until) ON TABLE reports.generation TO payments_reports;

GRANT SELECT ON TABLE reports.audit_difference TO payments_loader;
GRANT SELECT ON TABLE reports.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE reports.audit_head TO payments_loader;
GRANT SELECT ON TABLE reports.audit_head TO payments_exporter;

GRANT SELECT ON TABLE reports.audit_payout TO payments_loader;
GRANT SELECT ON TABLE reports.audit_payout TO payments_exporter;

GRANT SELECT ON TABLE reports.console_generation TO payments_console;

GRANT SELECT ON TABLE reports.console_switch TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reports.idempotency TO payments_reports;

GRANT SELECT,INSERT ON TABLE reports.illegal_transition TO payments_reports;

GRANT SELECT,INSERT,DELETE ON TABLE reports.outbox TO payments_reports;

GRANT UPDATE(claimed_until) ON TABLE reports.outbox TO payments_reports;

GRANT SELECT ON TABLE reports.report_day TO payments_exporter;
GRANT SELECT ON TABLE reports.report_day TO payments_reader;

GRANT SELECT ON TABLE reports.state TO payments_exporter;
GRANT SELECT ON TABLE reports.state TO payments_console;

GRANT SELECT,INSERT,DELETE ON TABLE saga.outbox TO payments_saga;

GRANT UPDATE(claimed_until) ON TABLE saga.outbox TO payments_saga;

GRANT SELECT,INSERT ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(state) ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(awaiting) ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(reason) ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(refunded) ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(updated_at) ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(due_at) ON TABLE saga.payment TO payments_saga;

GRANT UPDATE(sends) ON TABLE saga.payment TO payments_saga;

GRANT SELECT,INSERT ON TABLE saga.reference TO payments_saga;

GRANT SELECT,INSERT ON TABLE saga.step TO payments_saga;

GRANT SELECT,INSERT,DELETE ON TABLE saga.webhook TO payments_saga;

GRANT UPDATE(state) ON TABLE saga.webhook TO payments_saga;

GRANT UPDATE(attempts) ON TABLE saga.webhook TO payments_saga;

GRANT UPDATE(last_result) ON TABLE saga.webhook TO payments_saga;

GRANT UPDATE(next_at) ON TABLE saga.webhook TO payments_saga;

GRANT UPDATE(expires_at) ON TABLE saga.webhook TO payments_saga;

GRANT UPDATE(ended_at) ON TABLE saga.webhook TO payments_saga;

GRANT SELECT ON TABLE saga.audit_difference TO payments_loader;
GRANT SELECT ON TABLE saga.audit_difference TO payments_exporter;

GRANT SELECT,INSERT ON TABLE saga.orphan TO payments_saga;

GRANT SELECT ON TABLE saga.audit_orphan TO payments_loader;
GRANT SELECT ON TABLE saga.audit_orphan TO payments_exporter;

GRANT SELECT ON TABLE saga.audit_payment TO payments_loader;
GRANT SELECT ON TABLE saga.audit_payment TO payments_exporter;

GRANT SELECT ON TABLE saga.console_payment TO payments_console;

GRANT SELECT ON TABLE saga.console_step TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE saga.idempotency TO payments_saga;

GRANT SELECT,INSERT ON TABLE saga.illegal_transition TO payments_saga;

GRANT SELECT ON TABLE saga.pending_state TO payments_exporter;

GRANT SELECT ON TABLE saga.report_payment TO payments_exporter;
GRANT SELECT ON TABLE saga.report_payment TO payments_reader;

GRANT SELECT ON TABLE saga.transition TO payments_saga;

GRANT SELECT,INSERT,DELETE ON TABLE saga.webhook_stop TO payments_saga;

GRANT SELECT ON TABLE staging.txn_shape TO payments_loader;

GRANT SELECT,INSERT,DELETE ON TABLE traffic.lake_row TO payments_traffic;

GRANT SELECT ON TABLE traffic.audit_lake_row TO payments_loader;

GRANT SELECT,INSERT,DELETE ON TABLE traffic.campaign TO payments_traffic;

GRANT SELECT,INSERT,DELETE ON TABLE traffic.partner_event TO payments_traffic;

GRANT SELECT ON TABLE traffic.audit_partner_event TO payments_loader;

GRANT SELECT,INSERT,DELETE ON TABLE traffic.payment TO payments_traffic;

GRANT SELECT,INSERT,DELETE ON TABLE traffic.run TO payments_traffic;

GRANT UPDATE(ended_at) ON TABLE traffic.run TO payments_traffic;

GRANT SELECT ON TABLE traffic.audit_payment TO payments_loader;

GRANT SELECT ON TABLE wallet.account TO payments_wallet;

GRANT SELECT,INSERT ON TABLE wallet.decision TO payments_wallet;

GRANT UPDATE(refunded) ON TABLE wallet.decision TO payments_wallet;

GRANT SELECT,INSERT ON TABLE wallet.movement TO payments_wallet;

GRANT SELECT,INSERT,DELETE ON TABLE wallet.outbox TO payments_wallet;

GRANT UPDATE(claimed_until) ON TABLE wallet.outbox TO payments_wallet;

GRANT SELECT,INSERT ON TABLE wallet.reference TO payments_wallet;

GRANT SELECT,INSERT,UPDATE ON TABLE wallet.seeding TO payments_wallet;

GRANT SELECT,INSERT ON TABLE wallet.wallet TO payments_wallet;

GRANT UPDATE(balance) ON TABLE wallet.wallet TO payments_wallet;

GRANT UPDATE(updated_at) ON TABLE wallet.wallet TO payments_wallet;

GRANT UPDATE(closed_at) ON TABLE wallet.wallet TO payments_wallet;

GRANT SELECT ON TABLE wallet.audit_difference TO payments_loader;
GRANT SELECT ON TABLE wallet.audit_difference TO payments_exporter;

GRANT SELECT ON TABLE wallet.audit_payment TO payments_loader;
GRANT SELECT ON TABLE wallet.audit_payment TO payments_exporter;

GRANT SELECT ON TABLE wallet.console_decision TO payments_console;

GRANT SELECT ON TABLE wallet.console_movement TO payments_console;

GRANT SELECT ON TABLE wallet.console_wallet TO payments_console;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE wallet.idempotency TO payments_wallet;

GRANT SELECT,INSERT ON TABLE wallet.illegal_transition TO payments_wallet;
