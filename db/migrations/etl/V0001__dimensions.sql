-- The four schemas and the dimensions every transaction refers to.
--
-- Runs as payments_owner. Roles are made beforehand by db/roles.sql, because roles belong to the cluster.

CREATE SCHEMA payments;  -- the data
CREATE SCHEMA staging;   -- months that runs are building
CREATE SCHEMA etl;       -- the ledger
-- ops (migrations, backups, restores) is made by the migration runner itself.

DO $$
BEGIN
  -- So that `select count(*) from txn` works in any client.
  EXECUTE format('ALTER DATABASE %I SET search_path = payments, public', current_database());
END
$$;

CREATE TABLE payments.account (
  account_id     integer PRIMARY KEY,
  holder_name    text    NOT NULL,
  email          text    NOT NULL,
  country        text    NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  currency       text    NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  segment        text    NOT NULL CHECK (segment IN ('mass', 'affluent', 'business')),
  spending_level numeric(6, 3) NOT NULL CHECK (spending_level > 0),
  card_network   text    NOT NULL,
  -- A token, a test BIN and the last four digits: a card number is never made or stored.
  card_token     text    NOT NULL UNIQUE,
  card_bin       text    NOT NULL CHECK (card_bin ~ '^[0-9]{6}$'),
  card_last4     text    NOT NULL CHECK (card_last4 ~ '^[0-9]{4}$'),
  opened_on      date    NOT NULL
);
COMMENT ON TABLE payments.account IS 'Card holders, one card each; written by payments seed only';

CREATE TABLE payments.merchant (
  merchant_id integer PRIMARY KEY,
  name        text    NOT NULL,
  mcc         text    NOT NULL CHECK (mcc ~ '^[0-9]{4}$'),
  category    text    NOT NULL,
  country     text    NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  city        text    NOT NULL,
  currency    text    NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  price_level numeric(6, 3) NOT NULL CHECK (price_level > 0)
);
COMMENT ON TABLE payments.merchant IS 'Acceptors, with their category (MCC); written by payments seed only';

CREATE TABLE payments.terminal (
  terminal_id integer PRIMARY KEY,
  merchant_id integer NOT NULL REFERENCES payments.merchant,
  channel     text    NOT NULL CHECK (channel IN ('pos', 'ecom', 'atm'))
);
CREATE INDEX terminal_merchant_idx ON payments.terminal (merchant_id);
COMMENT ON TABLE payments.terminal IS 'Where cards are presented; each belongs to one merchant; written by payments seed only';

GRANT USAGE ON SCHEMA payments TO payments_loader, payments_reader, payments_exporter;
GRANT USAGE ON SCHEMA etl TO payments_loader, payments_exporter;
GRANT USAGE ON SCHEMA staging TO payments_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA payments TO payments_loader, payments_reader;
GRANT INSERT ON payments.account, payments.merchant, payments.terminal TO payments_loader;
