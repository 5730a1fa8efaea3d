-- after platform 1
-- after etl 1
-- Wallets, and every movement that made their balances. A movement is one row with both of its ends, so that it cannot be
-- unbalanced. What must not be, PostgreSQL refuses: tests/hostile_sql.int.test.ts tries.

CREATE SCHEMA wallet;

CREATE TABLE wallet.wallet (
  wallet_id  uuid        PRIMARY KEY,
  -- Money of payments lies on a clearing wallet, money from outside comes out of a funding one: a pair for each currency.
  kind       text        NOT NULL DEFAULT 'customer' CHECK (kind IN ('customer', 'clearing', 'funding')),
  user_id    text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
  currency   text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  -- In minor units. Where there is no limit to keep there is none: a running balance would be one lock for all.
  balance    bigint      CHECK (balance >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  closed_at  timestamptz,
  CHECK ((kind = 'customer') = (balance IS NOT NULL)),
  CHECK (closed_at IS NULL OR balance = 0),
  UNIQUE (wallet_id, currency)
) WITH (fillfactor = 70); -- a balance changes in its page
CREATE UNIQUE INDEX wallet_open_key ON wallet.wallet (user_id, currency) WHERE closed_at IS NULL AND kind = 'customer';
COMMENT ON TABLE wallet.wallet IS 'One open wallet per user and currency, and the clearing and funding ones of each currency';

CREATE TABLE wallet.movement (
  movement_id uuid        NOT NULL,
  -- The payment that it belongs to, else the movement itself: all of a payment is in one partition.
  cause_id    uuid        NOT NULL,
  kind        text        NOT NULL CHECK (kind IN ('debit', 'refund', 'credit', 'withdrawal', 'funding')),
  from_id     uuid        NOT NULL,
  to_id       uuid        NOT NULL CHECK (to_id <> from_id),
  amount      bigint      NOT NULL CHECK (amount > 0),
  currency    text        NOT NULL,
  reference   text        CHECK (length(reference) BETWEEN 1 AND 255),
  -- The event that asked for a refund. Null where a request over HTTP did, which enters its own into the outbox.
  message_id  text        CHECK (length(message_id) <= 255),
  moved_at    timestamptz NOT NULL DEFAULT now(),
  -- A payment's debit has the payment's own id, so there is one at most, and each of its refunds an id made of what was asked.
  PRIMARY KEY (cause_id, movement_id),
  CHECK ((kind = 'refund') = (movement_id <> cause_id)),
  CHECK ((kind IN ('refund', 'credit', 'withdrawal')) = (reference IS NOT NULL)),
  -- Both ends have its currency.
  FOREIGN KEY (from_id, currency) REFERENCES wallet.wallet (wallet_id, currency),
  FOREIGN KEY (to_id, currency) REFERENCES wallet.wallet (wallet_id, currency)
) PARTITION BY RANGE (cause_id);
CREATE TABLE wallet.movement_default PARTITION OF wallet.movement DEFAULT;
-- A customer's history. Each row is in one of the two: its other end is a clearing or a funding wallet.
CREATE INDEX movement_out_idx ON wallet.movement (from_id, moved_at, movement_id) WHERE kind IN ('debit', 'withdrawal');
CREATE INDEX movement_in_idx ON wallet.movement (to_id, moved_at, movement_id) WHERE kind IN ('refund', 'credit', 'funding');
-- By row, which holds for a partition that is named itself, too.
CREATE TRIGGER movement_final BEFORE UPDATE OR DELETE ON wallet.movement
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER movement_kept BEFORE TRUNCATE ON wallet.movement
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE wallet.movement IS 'Money from one wallet to another; final';

-- A digest that is kept beside an amount which no movement proves, so that a change by hand is seen. Text, because a digest of
-- types is another one on another version.
CREATE FUNCTION wallet.seal(VARIADIC facts text[]) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(facts::text, 'UTF8'));

CREATE TABLE wallet.decision (
  payment_id uuid        PRIMARY KEY,
  outcome    text        NOT NULL CHECK (outcome IN ('approved', 'declined', 'cancelled')),
  reason     text        NOT NULL CHECK (reason IN ('success', 'insufficient_funds', 'unknown_wallet', 'cancelled')),
  user_id    text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
  wallet_id  uuid        REFERENCES wallet.wallet,
  amount     bigint      CHECK (amount > 0),
  currency   text,
  refunded   bigint      NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  -- The request that was decided; another one for the same payment is a repetition.
  message_id text        NOT NULL CHECK (length(message_id) <= 255),
  decided_at timestamptz NOT NULL DEFAULT now(),
  seal       bytea, -- where nothing was taken; else the movement is the proof
  CHECK ((outcome = 'approved') = (seal IS NULL)),
  CHECK ((outcome = 'approved') = (reason = 'success')),
  CHECK ((outcome = 'cancelled') = (reason = 'cancelled')),
  CHECK (outcome <> 'approved' OR (wallet_id IS NOT NULL AND amount IS NOT NULL AND currency IS NOT NULL)),
  -- Nothing goes back that was not taken.
  CHECK (refunded = 0 OR (outcome = 'approved' AND refunded <= amount))
) PARTITION BY RANGE (payment_id);
CREATE TABLE wallet.decision_default PARTITION OF wallet.decision DEFAULT;
COMMENT ON TABLE wallet.decision IS 'What was decided about a payment, once; a repeated request is answered with it';

CREATE FUNCTION wallet.keep_decision() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
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
CREATE TRIGGER decision_final BEFORE UPDATE OR DELETE ON wallet.decision
  FOR EACH ROW EXECUTE FUNCTION wallet.keep_decision();
CREATE TRIGGER decision_kept BEFORE TRUNCATE ON wallet.decision
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- Business keys of credits and withdrawals, over all months: partitions of movement cannot have them.
CREATE TABLE wallet.reference (
  wallet_id   uuid   NOT NULL REFERENCES wallet.wallet,
  kind        text   NOT NULL CHECK (kind IN ('credit', 'withdrawal')),
  reference   text   NOT NULL CHECK (length(reference) BETWEEN 1 AND 255),
  movement_id uuid   NOT NULL,
  amount      bigint NOT NULL CHECK (amount > 0),
  balance     bigint NOT NULL,
  seal        bytea  NOT NULL,
  PRIMARY KEY (wallet_id, kind, reference)
);
CREATE TRIGGER reference_final BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet.reference
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE wallet.reference IS 'Each reference takes effect once per wallet and kind; balance as it was answered';

SELECT ops.add_service_tables('wallet');

-- Customer n is the holder of account n. What the seeding reads of the pipeline's tables, which it never writes.
CREATE VIEW wallet.account AS SELECT account_id, currency FROM payments.account;
COMMENT ON VIEW wallet.account IS 'Accounts for which wallets are seeded';

CREATE TABLE wallet.seeding (
  currency text    PRIMARY KEY,
  wallets  bigint  NOT NULL,
  amount   numeric NOT NULL
);
COMMENT ON TABLE wallet.seeding IS 'The answer key of seeded wallets: how many, and how much was put into them in minor units';

-- What is not as it must be, a row a difference; no rows is the proof.
CREATE VIEW wallet.audit_difference AS
WITH moved AS (
  SELECT wallet_id, sum(amount) AS balance
  FROM (SELECT to_id AS wallet_id, amount FROM wallet.movement
        UNION ALL
        SELECT from_id, -amount FROM wallet.movement) leg
  GROUP BY wallet_id
), paid AS (
  SELECT cause_id AS payment_id,
         sum(amount) FILTER (WHERE kind = 'debit') AS debited,
         coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
  FROM wallet.movement
  WHERE kind IN ('debit', 'refund')
  GROUP BY cause_id
)
SELECT 'wallet ' || w.wallet_id AS what,
       'balance of its movements ' || coalesce(m.balance, 0) || ' ' || w.currency AS expected,
       coalesce(w.balance::text, 'none') AS found
FROM wallet.wallet w LEFT JOIN moved m USING (wallet_id)
WHERE w.kind = 'customer' AND w.balance IS DISTINCT FROM coalesce(m.balance, 0)
UNION ALL
SELECT 'payment ' || payment_id,
       'debited ' || coalesce(p.debited::text, 'nothing') || ', refunded ' || coalesce(p.refunded, 0) || ' by movements',
       'decided ' || coalesce(d.amount::text, 'nothing') || ', refunded ' || coalesce(d.refunded, 0)
FROM (SELECT * FROM wallet.decision WHERE outcome = 'approved') d FULL JOIN paid p USING (payment_id)
WHERE d.amount IS DISTINCT FROM p.debited OR d.refunded IS DISTINCT FROM p.refunded
UNION ALL
-- Both ends of a movement, what they are and whose.
SELECT 'movement ' || m.movement_id,
       CASE m.kind WHEN 'debit' THEN 'from the wallet that its decision names to clearing, all of one currency'
                   WHEN 'refund' THEN 'from clearing to a wallet of the user who paid, all of one currency'
                   WHEN 'withdrawal' THEN 'from a customer to funding, all of one currency'
                   ELSE 'from funding to a customer, all of one currency' END,
       m.kind || ' of ' || m.currency || ' from ' || coalesce(f.kind || ' ' || f.user_id || ' ' || f.currency, 'nobody')
         || ' to ' || coalesce(t.kind || ' ' || t.user_id || ' ' || t.currency, 'nobody')
FROM wallet.movement m
LEFT JOIN wallet.wallet f ON f.wallet_id = m.from_id
LEFT JOIN wallet.wallet t ON t.wallet_id = m.to_id
LEFT JOIN wallet.decision d ON d.payment_id = m.cause_id AND m.kind IN ('debit', 'refund')
WHERE f.currency IS DISTINCT FROM m.currency OR t.currency IS DISTINCT FROM m.currency
   OR f.kind IS DISTINCT FROM CASE WHEN m.kind IN ('debit', 'withdrawal') THEN 'customer' WHEN m.kind = 'refund' THEN 'clearing'
                                   ELSE 'funding' END
   OR t.kind IS DISTINCT FROM CASE m.kind WHEN 'debit' THEN 'clearing' WHEN 'withdrawal' THEN 'funding' ELSE 'customer' END
   OR m.kind = 'debit' AND (d.wallet_id IS DISTINCT FROM m.from_id OR d.user_id IS DISTINCT FROM f.user_id
                            OR d.currency IS DISTINCT FROM m.currency)
   OR m.kind = 'refund' AND (d.user_id IS DISTINCT FROM t.user_id OR d.currency IS DISTINCT FROM m.currency)
UNION ALL
SELECT 'reference ' || coalesce(r.reference, m.reference) || ' of wallet ' || coalesce(r.wallet_id, m.wallet_id),
       coalesce(m.kind || ' ' || m.amount, 'no movement'), coalesce(r.kind || ' ' || r.amount, 'no reference')
FROM wallet.reference r
FULL JOIN (SELECT movement_id, kind, amount, reference, CASE kind WHEN 'credit' THEN to_id ELSE from_id END AS wallet_id
           FROM wallet.movement WHERE kind IN ('credit', 'withdrawal')) m USING (movement_id)
WHERE r.wallet_id IS DISTINCT FROM m.wallet_id OR r.kind IS DISTINCT FROM m.kind OR r.reference IS DISTINCT FROM m.reference
   OR r.amount IS DISTINCT FROM m.amount
UNION ALL
-- Amounts that no movement proves.
SELECT 'payment ' || payment_id, outcome || ' as its seal says', outcome || ' ' || coalesce(amount || ' ' || currency, 'nothing')
FROM wallet.decision
WHERE outcome <> 'approved'
  AND seal IS DISTINCT FROM wallet.seal(payment_id::text, outcome, reason, user_id, wallet_id::text, amount::text, currency)
UNION ALL
SELECT 'reference ' || reference || ' of wallet ' || wallet_id, 'answered as its seal says', kind || ' ' || amount || ', balance ' || balance
FROM wallet.reference
WHERE seal IS DISTINCT FROM wallet.seal(wallet_id::text, kind, reference, amount::text, balance::text)
UNION ALL
SELECT 'seeded wallets of ' || currency, coalesce(s.amount, 0) || ' put into them', coalesce(f.amount, 0) || ' by movements'
FROM wallet.seeding s
FULL JOIN (SELECT currency, sum(amount) AS amount FROM wallet.movement WHERE kind = 'funding' GROUP BY currency) f USING (currency)
WHERE coalesce(s.amount, 0) <> coalesce(f.amount, 0)
UNION ALL
SELECT 'event ' || message_id, 'published', event || ' in the outbox since ' || entered_at
FROM wallet.outbox
WHERE entered_at <= now() - ops.audit_grace();
COMMENT ON VIEW wallet.audit_difference IS 'Each way in which balances, decisions and movements disagree';

-- To be compared with what payments says of each payment.
CREATE VIEW wallet.audit_payment AS
SELECT d.payment_id, d.user_id, d.outcome, d.amount, d.currency, d.refunded, greatest(d.decided_at, r.refunded_at) AS changed_at
FROM wallet.decision d
LEFT JOIN (SELECT cause_id AS payment_id, max(moved_at) AS refunded_at
           FROM wallet.movement WHERE kind = 'refund' GROUP BY cause_id) r USING (payment_id);
COMMENT ON VIEW wallet.audit_payment IS 'What was decided about each payment, and what of it went back';

GRANT SELECT, INSERT ON wallet.wallet, wallet.movement, wallet.decision, wallet.reference TO payments_wallet;
GRANT SELECT ON wallet.account TO payments_wallet;
GRANT SELECT, INSERT, UPDATE ON wallet.seeding TO payments_wallet;
GRANT UPDATE (balance, updated_at, closed_at) ON wallet.wallet TO payments_wallet;
GRANT UPDATE (refunded) ON wallet.decision TO payments_wallet;
GRANT SELECT ON wallet.audit_difference, wallet.audit_payment TO payments_loader, payments_exporter;
