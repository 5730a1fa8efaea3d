-- The fact table, its rejects, its roll-ups, and the functions that build a month and publish it.

-- No foreign keys: with three of them COPY ran six times slower, and distributed engines refuse them. The clean step's
-- joins enforce the references and `payments verify` proves them.
-- The primary key holds the partition key because PostgreSQL demands it; txn_id alone is unique by construction.
CREATE TABLE payments.txn (
  txn_id          bigint         NOT NULL,
  occurred_at     timestamptz    NOT NULL,
  account_id      integer        NOT NULL,
  merchant_id     integer        NOT NULL,
  terminal_id     integer        NOT NULL,
  amount          numeric(14, 2) NOT NULL,
  currency        text           NOT NULL,
  kind            text           NOT NULL,
  channel         text           NOT NULL,
  network         text           NOT NULL,
  status          text           NOT NULL,
  response_code   text           NOT NULL,
  original_txn_id bigint,
  is_fraud        boolean        NOT NULL,
  PRIMARY KEY (txn_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
COMMENT ON TABLE payments.txn IS 'Card transactions that passed cleaning, one leaf per month (UTC)';
COMMENT ON COLUMN payments.txn.amount IS 'In units of currency, always positive; kind says the direction';
COMMENT ON COLUMN payments.txn.kind IS 'purchase, cash or refund';
COMMENT ON COLUMN payments.txn.original_txn_id IS 'The purchase that a refund gives back';
COMMENT ON COLUMN payments.txn.is_fraud IS 'Later reported as fraud by the issuer';

-- An account's statement, a merchant's takings, refunds of a purchase. Keys with a time are hardly ever equal: to look for equal
-- ones, as PostgreSQL does to store them once, takes a sixth of the build and finds none.
CREATE INDEX txn_account_idx ON payments.txn (account_id, occurred_at) WITH (deduplicate_items = off);
CREATE INDEX txn_merchant_idx ON payments.txn (merchant_id, occurred_at) WITH (deduplicate_items = off);
CREATE INDEX txn_original_idx ON payments.txn (original_txn_id) WHERE original_txn_id IS NOT NULL;

-- What a chunk is copied as: the columns of txn with nothing promised about them, amount_raw for what the sender did not
-- write as a number (amount is then null), and the line: rows of a run are numbered through, and their lines carry the ids
-- of the block that the run was given. line_id is null where a row has the id of its line, as nearly all have.
CREATE TABLE staging.txn_shape (
  txn_id          bigint,
  occurred_at     timestamptz,
  account_id      integer,
  merchant_id     integer,
  terminal_id     integer,
  amount          numeric(14, 2),
  currency        text,
  kind            text,
  channel         text,
  network         text,
  status          text,
  response_code   text,
  original_txn_id bigint,
  is_fraud        boolean,
  amount_raw      text,
  line_id         bigint
);
COMMENT ON TABLE staging.txn_shape IS 'Template of the tables that a run''s months are built in, see etl.create_builds; always empty';

-- Rejected rows whole. The key is where the row came from: the data's own id may be the very thing that is wrong.
CREATE TABLE payments.txn_reject (
  run_id          text        NOT NULL,
  chunk_no        integer     NOT NULL,
  line_no         integer     NOT NULL,
  reason          text        NOT NULL,
  rejected_at     timestamptz NOT NULL,
  txn_id          bigint,
  occurred_at     timestamptz,
  account_id      integer,
  merchant_id     integer,
  terminal_id     integer,
  amount          numeric(14, 2),
  amount_raw      text,
  currency        text,
  kind            text,
  channel         text,
  network         text,
  status          text,
  response_code   text,
  original_txn_id bigint,
  is_fraud        boolean,
  PRIMARY KEY (run_id, chunk_no, line_no)
);
COMMENT ON TABLE payments.txn_reject IS 'Every row that could not be repaired, as it came, with its reason';
COMMENT ON COLUMN payments.txn_reject.line_no IS 'Line of its chunk, from 0';

CREATE TABLE payments.agg_merchant_day (
  month           date    NOT NULL,
  day             date    NOT NULL,
  merchant_id     integer NOT NULL,
  currency        text    NOT NULL,
  txn_count       bigint  NOT NULL,
  approved_count  bigint  NOT NULL,
  refund_count    bigint  NOT NULL,
  fraud_count     bigint  NOT NULL,
  amount          numeric(20, 2) NOT NULL,
  approved_amount numeric(20, 2) NOT NULL,
  refund_amount   numeric(20, 2) NOT NULL,
  PRIMARY KEY (month, merchant_id, day, currency)
);
COMMENT ON TABLE payments.agg_merchant_day IS 'Takings per merchant, UTC day and currency; rebuilt a month at a time';
COMMENT ON COLUMN payments.agg_merchant_day.amount IS 'Sum of amount of all its transactions, whatever their kind and status';
COMMENT ON COLUMN payments.agg_merchant_day.approved_amount IS 'Approved purchases and cash';

CREATE TABLE payments.agg_network_hour (
  month           date        NOT NULL,
  hour            timestamptz NOT NULL,
  network         text        NOT NULL,
  channel         text        NOT NULL,
  currency        text        NOT NULL,
  txn_count       bigint      NOT NULL,
  approved_count  bigint      NOT NULL,
  fraud_count     bigint      NOT NULL,
  amount          numeric(20, 2) NOT NULL,
  PRIMARY KEY (month, hour, network, channel, currency)
);
COMMENT ON TABLE payments.agg_network_hour IS 'Volume per card network, channel, currency and UTC hour; rebuilt a month at a time';

GRANT SELECT ON ALL TABLES IN SCHEMA payments TO payments_loader, payments_reader;
GRANT SELECT ON payments.agg_merchant_day, payments.agg_network_hour TO payments_exporter;
GRANT INSERT ON payments.txn, payments.txn_reject TO payments_loader;
GRANT DELETE ON payments.txn_reject TO payments_loader;  -- of chunks that are taken back
GRANT INSERT, DELETE ON payments.agg_merchant_day, payments.agg_network_hour TO payments_loader;
GRANT SELECT ON staging.txn_shape TO payments_loader;

-- The loader may not change tables of the owner. It may call these functions, which run with the owner's rights and take
-- nothing but a run and a month; the three that take a name are for them alone.

CREATE FUNCTION etl.leaf_name(month date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'txn_' || to_char(month::timestamp, 'YYYY_MM');

-- A bare table beside the parent. The CHECK lets ATTACH skip its scan.
CREATE FUNCTION etl.make_leaf(namespace text, leaf text, month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF month IS NULL OR extract(day FROM month) <> 1 THEN
    RAISE EXCEPTION 'make_leaf: % is not the first day of a month', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('CREATE TABLE %I.%I (LIKE payments.txn INCLUDING DEFAULTS)', namespace, leaf);
  EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I CHECK (occurred_at >= %L AND occurred_at < %L)',
                 namespace, leaf, leaf || '_month', to_char(month::timestamp, 'YYYY-MM-01 00:00:00+00'),
                 to_char(month::timestamp + interval '1 month', 'YYYY-MM-01 00:00:00+00'));
  EXECUTE format('GRANT SELECT, INSERT ON %I.%I TO payments_loader', namespace, leaf);
END
$$;

-- The parent's indexes on a leaf that holds its rows by now: index-after-load is faster on an empty leaf (and slower on one
-- that holds data). The sample of 7,500 rows keeps ANALYZE at 50 ms a month; the default of 30,000 took 200 ms, more than the
-- index builds of a small month.
CREATE FUNCTION etl.index_leaf(leaf text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET default_statistics_target = 25
AS $$
BEGIN
  EXECUTE format('ALTER TABLE payments.%I ADD CONSTRAINT %I PRIMARY KEY (txn_id, occurred_at)', leaf, leaf || '_pkey');
  EXECUTE format('CREATE INDEX %I ON payments.%I (account_id, occurred_at) WITH (deduplicate_items = off)',
                 leaf || '_account_idx', leaf);
  EXECUTE format('CREATE INDEX %I ON payments.%I (merchant_id, occurred_at) WITH (deduplicate_items = off)',
                 leaf || '_merchant_idx', leaf);
  EXECUTE format('CREATE INDEX %I ON payments.%I (original_txn_id) WHERE original_txn_id IS NOT NULL',
                 leaf || '_original_idx', leaf);
  EXECUTE format('ANALYZE payments.%I', leaf);
END
$$;

CREATE FUNCTION etl.attach_leaf(leaf text, month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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

-- The leaf that a run's month will be, or be added to, is built by COPY itself. staging.txn_<run>_<month> is partitioned by
-- whether a row is plainly right: PostgreSQL routes what is (99 %) into <name>_leaf, and the rest into <name>_suspect, where
-- clean judges it. So a row is written once. Copying chunks into tables of their own, looking for the bad rows there, and
-- inserting the rest into the leaf took 2.6 us a row, this takes 1.2. Nobody but the run writes here and nobody reads.
--
-- References are part of the rule, because txn has no foreign keys: an account must be within the range of ids, or in one of
-- the ranges if there are gaps, and an array says whose terminal it is (nobody's: 0). The rule knows the dimensions as they
-- were when the run was planned. A row of an account that came later passes clean, but the leaf refuses it and the step fails:
-- nobody adds accounts but `payments seed`, which runs before.
CREATE FUNCTION etl.build_name(run text, month date) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (run ~ '^r[0-9]{1,9}$' AND extract(day FROM month) = 1) IS NOT TRUE THEN
    RAISE EXCEPTION 'build_name: % and % are not a run and the first day of a month', run, month
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN 'txn_' || run || to_char(month::timestamp, '_YYYY_MM');
END
$$;

-- Of several months at once, because reading the dimensions takes longer than making the tables.
CREATE FUNCTION etl.create_builds(
  run text, months date[], opens timestamptz[], closes timestamptz[], max_amount numeric,
  currencies text[], kinds text[], channels text[], networks text[], statuses text[], response_codes text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  accounts  text;
  merchants text;
  build     text;
BEGIN
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
      build, accounts, merchants, opens[i], closes[i], max_amount,
      currencies, kinds, channels, networks, statuses, response_codes);
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

CREATE FUNCTION etl.drop_build(run text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  LOCK TABLE etl.month IN ROW SHARE MODE;
  EXECUTE format('DROP TABLE IF EXISTS staging.%I', etl.build_name(run, month));
END
$$;

-- Makes a build the month's leaf, in the caller's transaction: readers see the month whole or not at all.
CREATE FUNCTION etl.publish_build(run text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
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

-- Healing a month: a second leaf is filled and indexed beside the damaged one, then takes its place.
CREATE FUNCTION etl.create_healed_leaf(month date) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT etl.make_leaf('payments', etl.leaf_name(month) || '_healed', month); SELECT etl.leaf_name(month) || '_healed' $$;

CREATE FUNCTION etl.index_healed_leaf(month date) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT etl.index_leaf(etl.leaf_name(month) || '_healed') $$;

-- Locks out readers for the moment of the exchange; everything that takes time has been done before.
CREATE FUNCTION etl.swap_healed_leaf(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  leaf   text := etl.leaf_name(month);
  suffix text;
BEGIN
  -- In the order in which readers take them: parent, then leaf. Detaching is skipped for a leaf that lost its place.
  LOCK TABLE payments.txn IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('DROP TABLE IF EXISTS payments.%I', leaf);
  EXECUTE format('ALTER TABLE payments.%I RENAME TO %I', leaf || '_healed', leaf);
  EXECUTE format('ALTER TABLE payments.%I RENAME CONSTRAINT %I TO %I', leaf, leaf || '_healed_month', leaf || '_month');
  FOREACH suffix IN ARRAY ARRAY['_pkey', '_account_idx', '_merchant_idx', '_original_idx'] LOOP
    EXECUTE format('ALTER INDEX payments.%I RENAME TO %I', leaf || '_healed' || suffix, leaf || suffix);
  END LOOP;
  PERFORM etl.attach_leaf(leaf, month);
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA etl FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.leaf_name(date) TO payments_loader, payments_exporter;
GRANT EXECUTE ON FUNCTION etl.build_name(text, date), etl.drop_build(text, date), etl.publish_build(text, date),
  etl.create_builds(text, date[], timestamptz[], timestamptz[], numeric, text[], text[], text[], text[], text[], text[]),
  etl.create_healed_leaf(date), etl.index_healed_leaf(date), etl.swap_healed_leaf(date) TO payments_loader;
