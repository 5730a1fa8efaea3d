-- agg adds the groups of a build to the roll-ups of a month that stands (INSERT … ON CONFLICT DO UPDATE).
GRANT UPDATE ON payments.agg_merchant_day, payments.agg_network_hour TO payments_loader;

COMMENT ON TABLE payments.agg_merchant_day IS 'Takings per merchant, UTC day and currency; each run adds its own';
COMMENT ON TABLE payments.agg_network_hour IS 'Volume per card network, channel, currency and UTC hour; each run adds its own';

-- A build that is large beside the leaf that stands takes its rows in and its place: per row that costs half of adding it to the leaf's
-- indexes. This makes the build's leaf what heal's is, for index_healed_leaf and swap_healed_leaf. From here to the end of the transaction
-- nobody changes the standing leaf; readers go on.
CREATE FUNCTION etl.adopt_build(run text, month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  build  text := etl.build_name(run, month);
  leaf   text := etl.leaf_name(month);
  healed text := leaf || '_healed';
BEGIN
  EXECUTE format('LOCK TABLE payments.%I IN SHARE ROW EXCLUSIVE MODE', leaf);
  EXECUTE format('ALTER TABLE staging.%I DETACH PARTITION staging.%I', build, build || '_leaf');
  EXECUTE format('DROP TABLE staging.%I', build);
  EXECUTE format('ALTER TABLE staging.%I DROP COLUMN amount_raw, DROP COLUMN line_id, RESET (autovacuum_enabled)',
                 build || '_leaf');
  EXECUTE format('ALTER TABLE staging.%I RENAME CONSTRAINT %I TO %I', build || '_leaf', build || '_leaf_month', healed || '_month');
  EXECUTE format('ALTER TABLE staging.%I RENAME TO %I', build || '_leaf', healed);
  EXECUTE format('ALTER TABLE staging.%I SET SCHEMA payments', healed);
  RETURN healed;
END
$$;

REVOKE ALL ON FUNCTION etl.adopt_build(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.adopt_build(text, date) TO payments_loader;

-- As in V0007, but without the leaves of other months: two exchanges, each with its leaf locked, would wait for one another until both give up.
CREATE OR REPLACE FUNCTION etl.swap_healed_leaf(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  leaf   text := etl.leaf_name(month);
  healed text := leaf || '_healed';
  name   text;
BEGIN
  -- In the order in which readers take them: parent, then leaf. Detaching is skipped for a leaf that lost its place.
  LOCK TABLE ONLY payments.txn IN ACCESS EXCLUSIVE MODE;
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
