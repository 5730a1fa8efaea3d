-- The fact table, its rejects, its roll-ups, and the two functions that give a month its leaf and publish it.

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

CREATE INDEX txn_account_idx ON payments.txn (account_id, occurred_at);    -- an account's statement
CREATE INDEX txn_merchant_idx ON payments.txn (merchant_id, occurred_at);  -- a merchant's takings
CREATE INDEX txn_original_idx ON payments.txn (original_txn_id) WHERE original_txn_id IS NOT NULL;  -- refunds of a purchase

-- What a chunk is copied into: the columns of txn with nothing promised about them, a line number to name a row by, and
-- amount_raw for what the sender did not write as a number (amount is then null).
CREATE TABLE staging.txn_shape (
  line_no         integer NOT NULL,
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
  is_fraud        boolean
);
COMMENT ON TABLE staging.txn_shape IS 'Template of the staging tables txn_<run>_<chunk>; always empty';

-- Rejected rows whole. The key is where the row came from: the data's own id may be the very thing that is wrong.
CREATE TABLE payments.txn_reject (
  run_id      text        NOT NULL,
  chunk_no    integer     NOT NULL,
  reason      text        NOT NULL,
  rejected_at timestamptz NOT NULL,
  LIKE staging.txn_shape,
  PRIMARY KEY (run_id, chunk_no, line_no)
);
COMMENT ON TABLE payments.txn_reject IS 'Every row that could not be repaired, as it came, with its reason';

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
-- nothing but a month; the three that take a name are for them alone.

CREATE FUNCTION etl.leaf_name(month date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'txn_' || to_char(month::timestamp, 'YYYY_MM');

-- A bare table beside the parent. The CHECK lets ATTACH skip its scan.
CREATE FUNCTION etl.make_leaf(leaf text, month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF month IS NULL OR extract(day FROM month) <> 1 THEN
    RAISE EXCEPTION 'make_leaf: % is not the first day of a month', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('CREATE TABLE payments.%I (LIKE payments.txn INCLUDING DEFAULTS)', leaf);
  EXECUTE format('ALTER TABLE payments.%I ADD CONSTRAINT %I CHECK (occurred_at >= %L AND occurred_at < %L)',
                 leaf, leaf || '_month', to_char(month::timestamp, 'YYYY-MM-01 00:00:00+00'),
                 to_char(month::timestamp + interval '1 month', 'YYYY-MM-01 00:00:00+00'));
  EXECUTE format('GRANT SELECT, INSERT ON payments.%I TO payments_loader', leaf);
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
  EXECUTE format('CREATE INDEX %I ON payments.%I (account_id, occurred_at)', leaf || '_account_idx', leaf);
  EXECUTE format('CREATE INDEX %I ON payments.%I (merchant_id, occurred_at)', leaf || '_merchant_idx', leaf);
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

-- For a month without data: it is loaded beside the parent and published when it is complete.
CREATE FUNCTION etl.create_leaf(month date) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT etl.make_leaf(etl.leaf_name(month), month) $$;

-- Indexes and attaches a leaf in the caller's transaction: readers see the month whole or not at all.
CREATE FUNCTION etl.publish_leaf(month date) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT etl.index_leaf(etl.leaf_name(month)), etl.attach_leaf(etl.leaf_name(month), month) $$;

-- Healing a month: a second leaf is filled and indexed beside the damaged one, then takes its place.
CREATE FUNCTION etl.create_healed_leaf(month date) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT etl.make_leaf(etl.leaf_name(month) || '_healed', month); SELECT etl.leaf_name(month) || '_healed' $$;

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

-- What cancelling a run takes back: its rows in a month that it has not finished, or the whole leaf if nobody else uses it.
-- Rows of a finished month cannot be erased this way. (The ledger's tables come with the next migration.)
CREATE FUNCTION etl.erase_rows(month date, run text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  first_id bigint;
  last_id  bigint;
  erased   bigint;
BEGIN
  SELECT min(c.first_txn_id), max(c.first_txn_id + c.txn_rows - 1) INTO first_id, last_id
  FROM etl.chunk c
  JOIN etl.run_month m ON m.run_id = c.run_id AND m.month = c.month
  WHERE c.run_id = erase_rows.run AND c.month = erase_rows.month AND m.state = 'open';
  EXECUTE format('DELETE FROM payments.%I WHERE txn_id BETWEEN $1 AND $2', etl.leaf_name(month))
    USING first_id, last_id;
  GET DIAGNOSTICS erased = ROW_COUNT;
  RETURN erased;
END
$$;

CREATE FUNCTION etl.drop_unpublished_leaf(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('payments.' || etl.leaf_name(month))) THEN
    RAISE EXCEPTION 'drop_unpublished_leaf: % is published', month USING ERRCODE = 'object_in_use';
  END IF;
  EXECUTE format('DROP TABLE payments.%I', etl.leaf_name(month));
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA etl FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.leaf_name(date) TO payments_loader, payments_exporter;
GRANT EXECUTE ON FUNCTION etl.create_leaf(date), etl.publish_leaf(date), etl.create_healed_leaf(date),
  etl.index_healed_leaf(date), etl.swap_healed_leaf(date), etl.erase_rows(date, text),
  etl.drop_unpublished_leaf(date) TO payments_loader;
