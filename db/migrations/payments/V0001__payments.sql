-- after platform 1
-- Payments, and every step that they took. What must not be, PostgreSQL refuses: services/payments/hostile_sql.int.test.ts tries.
-- Each payment costs three statements at 100,000 a minute, so every column and index here is one that somebody reads.

CREATE SCHEMA saga;

CREATE TABLE saga.payment (
  payment_id  uuid        PRIMARY KEY,
  customer_id text        NOT NULL CHECK (length(customer_id) BETWEEN 1 AND 255),
  reference   text        CHECK (length(reference) BETWEEN 1 AND 255),
  -- In minor units.
  amount      bigint      NOT NULL CHECK (amount > 0),
  currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  method      text        NOT NULL CHECK (length(method) BETWEEN 1 AND 50),
  state       text        NOT NULL DEFAULT 'PENDING'
              CHECK (state IN ('PENDING', 'APPROVED', 'DECLINED', 'PARTIALLY_REFUNDED', 'REFUNDED')),
  -- What a pending one waits for: the answer of fraud or of the wallet.
  awaiting    text        DEFAULT 'check' CHECK (awaiting IN ('check', 'debit')),
  reason      text        CHECK (reason IN ('fraud_detected', 'insufficient_funds', 'unknown_wallet', 'timed_out')),
  refunded    bigint      NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
  trace_id    uuid        NOT NULL, -- takes 32 hex digits, in half of their bytes
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  -- When its command is sent again, and how often that was done.
  due_at      timestamptz NOT NULL,
  sends       smallint    NOT NULL DEFAULT 0,
  CHECK ((state = 'PENDING') = (awaiting IS NOT NULL)),
  CHECK ((state = 'DECLINED') = (reason IS NOT NULL)),
  CHECK (state <> 'PARTIALLY_REFUNDED' OR refunded > 0 AND refunded < amount),
  CHECK (state <> 'REFUNDED' OR refunded = amount),
  CHECK (refunded = 0 OR state NOT IN ('PENDING', 'APPROVED'))
) PARTITION BY RANGE (payment_id);
-- A fraud check changes a row in its page and no index (HOT): what due_at is stays, and the state too.
CREATE TABLE saga.payment_default PARTITION OF saga.payment DEFAULT WITH (fillfactor = 60);
CREATE INDEX payment_due_idx ON saga.payment (due_at) WHERE state = 'PENDING';
CREATE INDEX payment_customer_idx ON saga.payment (customer_id, payment_id);
COMMENT ON TABLE saga.payment IS 'A payment as it stands';

CREATE TABLE saga.transition (
  from_state text NOT NULL,
  to_state   text NOT NULL,
  PRIMARY KEY (from_state, to_state)
);
INSERT INTO saga.transition VALUES
  ('PENDING', 'APPROVED'), ('PENDING', 'DECLINED'),
  ('PENDING', 'PARTIALLY_REFUNDED'), ('PENDING', 'REFUNDED'), -- a refund proves the debit
  ('APPROVED', 'PARTIALLY_REFUNDED'), ('APPROVED', 'REFUNDED'),
  ('PARTIALLY_REFUNDED', 'PARTIALLY_REFUNDED'), ('PARTIALLY_REFUNDED', 'REFUNDED'),
  ('DECLINED', 'DECLINED'); -- given up, debited all the same, refunded
COMMENT ON TABLE saga.transition IS 'Changes of state that there are; all others are refused';

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
-- Looked at where anything but waiting changes; an update of what a pending one waits for costs no call.
CREATE TRIGGER payment_kept_in_order BEFORE UPDATE ON saga.payment
  FOR EACH ROW
  WHEN (NEW.state <> OLD.state OR OLD.awaiting IS NULL OR OLD.awaiting = 'debit' AND NEW.awaiting = 'check')
  EXECUTE FUNCTION saga.keep_payment();
-- One of its own: a condition over both has another text after a restore.
CREATE TRIGGER payment_order_final
  BEFORE UPDATE OF payment_id, customer_id, reference, amount, currency, method, trace_id, created_at ON saga.payment
  FOR EACH ROW EXECUTE FUNCTION saga.keep_payment();
CREATE TRIGGER payment_final BEFORE DELETE ON saga.payment
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER payment_kept BEFORE TRUNCATE ON saga.payment
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TABLE saga.step (
  payment_id uuid        NOT NULL,
  event      text        NOT NULL, -- that led to it
  message_id text        NOT NULL CHECK (length(message_id) <= 255),
  state      text        NOT NULL, -- that it led to
  awaiting   text,
  trace_id   uuid        NOT NULL,
  taken_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (payment_id, message_id, event)
) PARTITION BY RANGE (payment_id);
CREATE TABLE saga.step_default PARTITION OF saga.step DEFAULT;
CREATE TRIGGER step_final BEFORE UPDATE OR DELETE ON saga.step
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER step_kept BEFORE TRUNCATE ON saga.step
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE saga.step IS 'What happened to a payment, a row a step; final';

-- Over all months: partitions of payment cannot have it.
CREATE TABLE saga.reference (
  customer_id text NOT NULL,
  reference   text NOT NULL CHECK (length(reference) BETWEEN 1 AND 255),
  payment_id  uuid NOT NULL,
  PRIMARY KEY (customer_id, reference)
);
CREATE TRIGGER reference_final BEFORE UPDATE OR DELETE OR TRUNCATE ON saga.reference
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE saga.reference IS 'The payment that a customer made under a reference: one';

-- After a restore to an earlier time the wallet may tell of debits of payments that are gone.
CREATE TABLE saga.orphan (
  payment_id  uuid        PRIMARY KEY,
  user_id     text        NOT NULL,
  amount      text        NOT NULL, -- decimal, as it was told: its currency is gone with the payment
  message_id  text        NOT NULL,
  trace_id    uuid        NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER orphan_final BEFORE UPDATE OR DELETE OR TRUNCATE ON saga.orphan
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE saga.orphan IS 'Debits of payments that are not known; their refund was asked for';

SELECT ops.add_service_tables('saga');

-- How old a pending payment may be for an audit, which sets it.
CREATE FUNCTION saga.audit_deadline() RETURNS interval
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN ops.audit_grace() = interval '0' THEN interval '0'
              ELSE ops.audit_grace()
                   + make_interval(secs => coalesce(nullif(current_setting('payments.audit_give_up_s', true), '')::integer, 900)) END;
$$;

-- What is not as it must be, a row a difference; no rows is the proof. What the wallet says of the same payments the command
-- `payments audit` compares.
CREATE VIEW saga.audit_difference AS
WITH walked AS (
  SELECT payment_id, (array_agg(state ORDER BY taken_at DESC, message_id DESC))[1] AS state
  FROM saga.step
  GROUP BY payment_id
)
SELECT 'payment ' || payment_id AS what, 'state ' || coalesce(w.state, 'of no step') || ' by its steps' AS expected,
       coalesce(p.state, 'no payment') AS found
FROM saga.payment p FULL JOIN walked w USING (payment_id)
WHERE p.state IS DISTINCT FROM w.state
UNION ALL
SELECT 'payment ' || payment_id, 'decided before ' || (created_at + saga.audit_deadline()), 'PENDING, awaiting ' || awaiting
FROM saga.payment
WHERE state = 'PENDING' AND created_at <= now() - saga.audit_deadline()
UNION ALL
-- Of both a CHECK keeps each for itself; this is for what was changed with checks off.
SELECT 'payment ' || payment_id, 'refunded and reason as its state has them',
       state || ', ' || coalesce(reason, 'no reason') || ', refunded ' || refunded || ' of ' || amount
FROM saga.payment
WHERE refunded < 0 OR refunded > amount OR (state = 'DECLINED') <> (reason IS NOT NULL)
   OR (state = 'REFUNDED') <> (refunded = amount AND state <> 'DECLINED')
   OR (state = 'PARTIALLY_REFUNDED') <> (refunded > 0 AND refunded < amount AND state <> 'DECLINED')
UNION ALL
SELECT 'reference ' || coalesce(r.reference, p.reference) || ' of ' || coalesce(r.customer_id, p.customer_id),
       'payment ' || coalesce(p.payment_id::text, 'none'), 'payment ' || coalesce(r.payment_id::text, 'none')
FROM saga.reference r FULL JOIN (SELECT * FROM saga.payment WHERE reference IS NOT NULL) p USING (payment_id)
WHERE (r.customer_id, r.reference) IS DISTINCT FROM (p.customer_id, p.reference)
UNION ALL
SELECT 'event ' || message_id, 'published', event || ' in the outbox since ' || entered_at
FROM saga.outbox
WHERE entered_at <= now() - ops.audit_grace();
COMMENT ON VIEW saga.audit_difference IS 'Each way in which payments, steps and references disagree';

CREATE VIEW saga.audit_payment AS
SELECT payment_id, customer_id, reference, state, reason, amount, currency, refunded, updated_at FROM saga.payment;
COMMENT ON VIEW saga.audit_payment IS 'What payments says of each payment';
CREATE VIEW saga.audit_orphan AS SELECT payment_id, recorded_at FROM saga.orphan;
COMMENT ON VIEW saga.audit_orphan IS 'Payments whose refund was asked for because nobody knows them';

GRANT SELECT, INSERT ON saga.payment, saga.step, saga.reference, saga.orphan TO payments_saga;
GRANT SELECT ON saga.transition TO payments_saga;
GRANT UPDATE (state, awaiting, reason, refunded, updated_at, due_at, sends) ON saga.payment TO payments_saga;
GRANT SELECT ON saga.audit_difference, saga.audit_payment, saga.audit_orphan TO payments_loader, payments_exporter;

-- Takes a customer's name out of payments; what is left of them is nobody's. Called by `payments erase`.
CREATE FUNCTION saga.erase(customer text, pseudonym text) RETURNS TABLE (what text, rows bigint)
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
END
$$;
COMMENT ON FUNCTION saga.erase IS 'Gives a customer''s payments a pseudonym, and forgets how the customer called them';

-- What others may see of payments: the exporter those that are pending, a report all of them.

CREATE VIEW saga.pending_state AS
SELECT count(*) AS payments,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0), 0)::double precision AS oldest_age_seconds
FROM saga.payment
WHERE state = 'PENDING';
COMMENT ON VIEW saga.pending_state IS 'How many payments nobody has decided yet, and since when';

-- By its id a query chooses a stretch of time, and with it the partitions: payment_id >= ops.uuid_floor(…).
CREATE VIEW saga.report_payment AS
SELECT payment_id, created_at, state, reason, amount, currency, refunded FROM saga.payment;
COMMENT ON VIEW saga.report_payment IS 'Payments for reports: nothing of who paid; amounts in minor units';

GRANT SELECT ON saga.pending_state, saga.report_payment TO payments_exporter;
GRANT USAGE ON SCHEMA ops, saga TO payments_reader;
GRANT SELECT ON saga.report_payment TO payments_reader;
