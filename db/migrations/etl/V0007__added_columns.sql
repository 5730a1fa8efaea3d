-- What somebody adds to txn by hand (a column, a CHECK, an index) comes along in builds and leaves: a leaf that lacks a column
-- cannot be attached (42804). The codes that a row may hold are given by name, so that two lists cannot be exchanged unnoticed. The release
-- before calls the function with eleven parameters, which passes them on. The rest is as in V0002.

-- A bare table beside the parent. The CHECK lets ATTACH skip its scan.
CREATE OR REPLACE FUNCTION etl.make_leaf(namespace text, leaf text, month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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

-- Once the leaf holds its rows, which is faster than to index an empty one. Each index is txn's own, under the leaf's name.
CREATE OR REPLACE FUNCTION etl.index_leaf(leaf text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET default_statistics_target = 25
AS $$
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
$$;

-- Locks out readers for the moment of the exchange; everything that takes time has been done before.
CREATE OR REPLACE FUNCTION etl.swap_healed_leaf(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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

-- Of several months at once, because reading the dimensions takes longer than making the tables.
CREATE FUNCTION etl.create_builds(
  run text, months date[], opens timestamptz[], closes timestamptz[], accepted jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
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
$$;

REVOKE ALL ON FUNCTION etl.create_builds(text, date[], timestamptz[], timestamptz[], jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.create_builds(text, date[], timestamptz[], timestamptz[], jsonb) TO payments_loader;

CREATE OR REPLACE FUNCTION etl.create_builds(
  run text, months date[], opens timestamptz[], closes timestamptz[], max_amount numeric,
  currencies text[], kinds text[], channels text[], networks text[], statuses text[], response_codes text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM etl.create_builds(run, months, opens, closes, jsonb_build_object(
    'max_amount', max_amount, 'currencies', currencies, 'kinds', kinds, 'channels', channels, 'networks', networks,
    'statuses', statuses, 'response_codes', response_codes));
END
$$;
