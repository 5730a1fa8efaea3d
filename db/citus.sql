-- Payments and wallets over the nodes of a Citus cluster, by customer: all of a payment, and the wallet that pays it, on one node. Run once
-- on the coordinator, after `payments migrate up` and before the first payment, in a database with the extension citus:
--
--   psql --set=ON_ERROR_STOP=1 --single-transaction --file=db/citus.sql postgres://payments_admin@…/payments
--
-- It is the schema's half. The services' statements must name the customer beside each id before they can run on it: docs/scale.md has the
-- list, and the reasons. Tables that are not named here stay on the coordinator: outbox, idempotency, illegal_transition and webhooks
-- are queues and notes, whose rows live for milliseconds to days; transition and seeding are a handful of rows.
SET LOCAL ROLE payments_owner;

-- Citus has no triggers on distributed tables: what they keep final `payments audit` proves afterwards.
DO $$
DECLARE
  kept record;
BEGIN
  FOR kept IN
    SELECT tgname, tgrelid::regclass AS on_table
    FROM pg_trigger
    WHERE NOT tgisinternal AND tgparentid = 0
      AND tgrelid = ANY (ARRAY['saga.payment', 'saga.step', 'saga.reference', 'saga.orphan',
                               'wallet.wallet', 'wallet.movement', 'wallet.decision', 'wallet.reference']::regclass[])
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', kept.tgname, kept.on_table);
  END LOOP;
END
$$;

-- A movement's other end is a clearing or a funding wallet, which is nobody's row on the customer's node: no foreign key.
ALTER TABLE wallet.movement DROP CONSTRAINT movement_from_id_currency_fkey, DROP CONSTRAINT movement_to_id_currency_fkey;
ALTER TABLE wallet.decision DROP CONSTRAINT decision_wallet_id_fkey;
ALTER TABLE wallet.reference DROP CONSTRAINT reference_wallet_id_fkey;

-- Whose it is, where the row does not say so yet. Fails on a table that has rows.
ALTER TABLE saga.step ADD COLUMN customer_id text NOT NULL;
ALTER TABLE wallet.movement ADD COLUMN user_id text NOT NULL;
ALTER TABLE wallet.reference ADD COLUMN user_id text NOT NULL;

-- The customer before each key: a key of a distributed table holds on its node only.
DROP INDEX saga.payment_customer_idx; -- the new key is the same
ALTER TABLE saga.payment DROP CONSTRAINT payment_pkey, ADD PRIMARY KEY (customer_id, payment_id);
ALTER TABLE saga.step DROP CONSTRAINT step_pkey, ADD PRIMARY KEY (customer_id, payment_id, message_id, event);
ALTER TABLE saga.orphan DROP CONSTRAINT orphan_pkey, ADD PRIMARY KEY (user_id, payment_id);
ALTER TABLE wallet.wallet DROP CONSTRAINT wallet_wallet_id_currency_key, DROP CONSTRAINT wallet_pkey,
  ADD PRIMARY KEY (user_id, wallet_id);
ALTER TABLE wallet.movement DROP CONSTRAINT movement_pkey, ADD PRIMARY KEY (user_id, cause_id, movement_id);
ALTER TABLE wallet.decision DROP CONSTRAINT decision_pkey, ADD PRIMARY KEY (user_id, payment_id);
ALTER TABLE wallet.reference DROP CONSTRAINT reference_pkey, ADD PRIMARY KEY (user_id, wallet_id, kind, reference);
-- saga.reference has its customer first, and wallet_open_key its user.

-- Both ends are one customer's, so this one holds on the node.
ALTER TABLE wallet.decision ADD FOREIGN KEY (user_id, wallet_id) REFERENCES wallet.wallet (user_id, wallet_id);

-- 128 shards can be spread over 2 to 128 nodes without cutting one.
SELECT create_distributed_table('saga.payment', 'customer_id', colocate_with => 'none', shard_count => 128);
SELECT create_distributed_table('saga.step', 'customer_id', colocate_with => 'saga.payment');
SELECT create_distributed_table('saga.reference', 'customer_id', colocate_with => 'saga.payment');
SELECT create_distributed_table('saga.orphan', 'user_id', colocate_with => 'saga.payment');
SELECT create_distributed_table('wallet.wallet', 'user_id', colocate_with => 'saga.payment');
SELECT create_distributed_table('wallet.movement', 'user_id', colocate_with => 'saga.payment');
SELECT create_distributed_table('wallet.decision', 'user_id', colocate_with => 'saga.payment');
SELECT create_distributed_table('wallet.reference', 'user_id', colocate_with => 'saga.payment');
