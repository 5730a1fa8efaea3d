-- after platform 5
-- What partners saw and asked for, and what became of it. What must not be, PostgreSQL refuses:
-- services/collector/hostile_sql.int.test.ts tries.

CREATE SCHEMA collector;

CREATE TABLE collector.event (
  id          uuid        PRIMARY KEY,
  type        text        NOT NULL CHECK (type IN ('click', 'impression', 'conversion', 'payment')),
  -- Normalised, as canonical JSON: source, event_id, type, occurred_at, session_id, data. Its digest is in event_key.
  body        text        NOT NULL,
  trace_id    uuid        NOT NULL, -- takes 32 hex digits, in half of their bytes
  received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (id);
CREATE TABLE collector.event_default PARTITION OF collector.event DEFAULT;
COMMENT ON TABLE collector.event IS 'A partner''s event, as it was first told; final';

-- Over all months: partitions of event cannot have it. Whoever tells an event again meets this row.
CREATE TABLE collector.event_key (
  source      text  NOT NULL CHECK (source ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  event_id    text  NOT NULL CHECK (length(event_id) BETWEEN 1 AND 255),
  id          uuid  NOT NULL UNIQUE,
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32), -- SHA-256 of the event's body
  PRIMARY KEY (source, event_id)
);
COMMENT ON TABLE collector.event_key IS 'The event that a partner told under an id: one';

-- What was asked of payouts: one a reference, whichever events ask for it.
CREATE TABLE collector.payout (
  id_afiliado     text   NOT NULL CHECK (length(id_afiliado) BETWEEN 1 AND 255),
  referencia_pago text   NOT NULL CHECK (length(referencia_pago) BETWEEN 1 AND 255),
  id              uuid   NOT NULL UNIQUE, -- of the event that asks
  amount          bigint NOT NULL CHECK (amount > 0), -- in minor units
  moneda          text   NOT NULL CHECK (moneda IN ('USD', 'EUR', 'COP')),
  PRIMARY KEY (id_afiliado, referencia_pago)
);
COMMENT ON TABLE collector.payout IS 'Payouts that were asked for; final';

CREATE TABLE collector.delivery (
  id          uuid        NOT NULL,
  destination text        NOT NULL CHECK (destination IN ('campaigns', 'payouts')),
  -- waiting: a commission, for what campaigns says. sent: in the outbox or, without a row there, with the broker.
  state       text        NOT NULL CHECK (state IN ('waiting', 'sent', 'accepted', 'refused')),
  outcome     text        CHECK (outcome IN ('spent', 'pending', 'completed', 'failed', 'returned',
                                             'over_budget', 'not_active', 'wrong_currency', 'reference_used')),
  reason      text        CHECK (length(reason) <= 200), -- of a payout that failed or came back
  awaited     boolean     NOT NULL, -- whether its destination answers
  message_id  uuid,
  id_pago     uuid,
  version     integer     NOT NULL DEFAULT 0 CHECK (version >= 0), -- of the Pago, as it was last told
  changed_at  timestamptz NOT NULL DEFAULT now(),
  sends       integer     NOT NULL DEFAULT 0 CHECK (sends >= 0), -- how often it was told again
  due_at      timestamptz, -- when it is told again, if nobody has answered by then
  PRIMARY KEY (id, destination),
  CHECK ((state IN ('accepted', 'refused')) = (outcome IS NOT NULL)),
  CHECK (state <> 'waiting' OR message_id IS NULL),
  CHECK (state NOT IN ('sent', 'accepted') OR message_id IS NOT NULL),
  CHECK (state <> 'accepted' OR (outcome = 'spent') = (destination = 'campaigns')),
  CHECK (state <> 'accepted' OR outcome IN ('spent', 'pending', 'completed', 'failed', 'returned')),
  CHECK (state <> 'refused' OR outcome IN ('over_budget', 'not_active', 'wrong_currency', 'reference_used')),
  CHECK (outcome <> 'reference_used' OR destination = 'payouts'),
  CHECK (awaited OR state = 'sent'),
  CHECK (NOT awaited OR state <> 'sent' OR due_at IS NOT NULL)
) PARTITION BY RANGE (id);
CREATE TABLE collector.delivery_default PARTITION OF collector.delivery DEFAULT WITH (fillfactor = 80);
CREATE INDEX delivery_open_idx ON collector.delivery (due_at) WHERE awaited AND outcome IS NULL AND state = 'sent';
COMMENT ON TABLE collector.delivery IS 'An event on its way to a destination, and what became of it there';

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
CREATE TRIGGER delivery_kept_in_order BEFORE UPDATE ON collector.delivery
  FOR EACH ROW EXECUTE FUNCTION collector.keep_delivery();
CREATE TRIGGER delivery_final BEFORE DELETE ON collector.delivery
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER delivery_kept BEFORE TRUNCATE ON collector.delivery
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TRIGGER event_final BEFORE UPDATE OR DELETE ON collector.event
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER event_kept BEFORE TRUNCATE ON collector.event
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER event_key_final BEFORE UPDATE OR DELETE OR TRUNCATE ON collector.event_key
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER payout_final BEFORE UPDATE OR DELETE OR TRUNCATE ON collector.payout
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- Signed requests that were taken, for as long as their signatures would be good.
CREATE TABLE collector.signed_request (
  source     text        NOT NULL,
  webhook_id text        NOT NULL,
  signed_at  timestamptz NOT NULL,
  PRIMARY KEY (source, webhook_id, signed_at)
);
CREATE INDEX signed_request_by_age ON collector.signed_request (signed_at);
COMMENT ON TABLE collector.signed_request IS 'Signed requests that were taken: the same again is a replay';

SELECT ops.add_rate_limit('collector'); -- Events of each source.
SELECT ops.add_service_tables('collector');

-- What others may see. Currencies of a payout have two digits, all three.

CREATE FUNCTION collector.minor(amount text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (amount::numeric * 100)::bigint;

CREATE VIEW collector.audit_event AS
SELECT k.source, k.event_id, k.id, e.type, e.received_at,
       d.data ->> 'campaign_id' AS campaign_id, d.data ->> 'id_afiliado' AS id_afiliado,
       d.data ->> 'moneda' AS moneda, collector.minor(d.data ->> 'spend') AS spend,
       collector.minor(coalesce(d.data ->> 'commission', d.data ->> 'monto')) AS payout,
       CASE e.type WHEN 'conversion' THEN 'conversion:' || k.source || ':' || k.event_id
                   ELSE d.data ->> 'referencia_pago' END AS referencia_pago,
       c.state AS campaigns_state, c.outcome AS campaigns_outcome, c.changed_at AS campaigns_at,
       p.state AS payouts_state, p.outcome AS payouts_outcome, p.changed_at AS payouts_at, p.id_pago,
       p.message_id IS NOT NULL AS payout_asked
FROM collector.event_key k
JOIN collector.event e USING (id)
CROSS JOIN LATERAL (SELECT e.body::jsonb -> 'data' AS data) d
LEFT JOIN collector.delivery c ON c.id = k.id AND c.destination = 'campaigns'
LEFT JOIN collector.delivery p ON p.id = k.id AND p.destination = 'payouts';
COMMENT ON VIEW collector.audit_event IS 'Each event, what it asks of whom, and what became of it; amounts in minor units';

CREATE VIEW collector.audit_payout AS
SELECT p.id_afiliado, p.referencia_pago, p.amount, p.moneda, d.state, d.outcome, d.id_pago, d.changed_at
FROM collector.payout p JOIN collector.delivery d ON d.id = p.id AND d.destination = 'payouts';
COMMENT ON VIEW collector.audit_payout IS 'Payouts that were asked for, and what is known of each';

CREATE VIEW collector.open_delivery AS
SELECT wanted.destination, count(d.id) AS events,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(d.changed_at)), 0), 0)::double precision AS oldest_age_seconds
FROM unnest(ARRAY['campaigns', 'payouts']) AS wanted (destination)
LEFT JOIN collector.delivery d ON d.destination = wanted.destination AND d.awaited AND d.outcome IS NULL AND d.state = 'sent'
GROUP BY wanted.destination;
COMMENT ON VIEW collector.open_delivery IS 'What each destination has not answered, and since when';

-- What is not as it must be, a row a difference; no rows is the proof. What a destination never answers is no difference: it is an
-- alert, and a dead letter there.
CREATE VIEW collector.audit_difference AS
SELECT 'event ' || coalesce(k.source || '/' || k.event_id, e.id::text) AS what, 'an event as it was first told' AS expected,
       CASE WHEN e.id IS NULL THEN 'no event' WHEN k.id IS NULL THEN 'no key' ELSE 'another one' END AS found
FROM collector.event_key k FULL JOIN collector.event e USING (id)
WHERE k.id IS NULL OR e.id IS NULL OR k.fingerprint <> sha256(convert_to(e.body, 'UTF8'))
   OR k.source IS DISTINCT FROM e.body::jsonb ->> 'source' OR k.event_id IS DISTINCT FROM e.body::jsonb ->> 'event_id'
   OR e.type IS DISTINCT FROM e.body::jsonb ->> 'type'
UNION ALL
SELECT 'event ' || e.id, 'deliveries to ' || wanted.list, 'deliveries to ' || coalesce(there.list, 'nobody')
FROM collector.event e
CROSS JOIN LATERAL (SELECT CASE e.type WHEN 'conversion' THEN 'campaigns, payouts' WHEN 'payment' THEN 'payouts'
                                       ELSE 'campaigns' END AS list) wanted
CROSS JOIN LATERAL (SELECT string_agg(destination, ', ' ORDER BY destination) AS list FROM collector.delivery d WHERE d.id = e.id) there
WHERE there.list IS DISTINCT FROM wanted.list
UNION ALL
SELECT 'delivery of ' || d.id || ' to ' || d.destination, 'an event', 'none'
FROM collector.delivery d
WHERE NOT EXISTS (SELECT FROM collector.event e WHERE e.id = d.id)
UNION ALL
-- A commission is asked for if and only if its conversion was spent.
SELECT 'commission of ' || source || '/' || event_id,
       CASE coalesce(campaigns_outcome, '') WHEN '' THEN 'waiting' WHEN 'spent' THEN 'asked for' ELSE 'refused, ' || campaigns_outcome END,
       payouts_state || coalesce(', ' || payouts_outcome, '')
FROM collector.audit_event
WHERE type = 'conversion'
  AND CASE coalesce(campaigns_outcome, '') WHEN '' THEN payouts_state <> 'waiting'
           WHEN 'spent' THEN NOT payout_asked
           ELSE payouts_state <> 'refused' OR payouts_outcome <> campaigns_outcome END
UNION ALL
-- What is asked for has a row, to the cent, and what has a row was asked for.
SELECT 'payout ' || coalesce(p.referencia_pago, a.referencia_pago) || ' of ' || coalesce(p.id_afiliado, a.id_afiliado),
       coalesce(a.payout || ' ' || a.moneda, 'no payout'), coalesce(p.amount || ' ' || p.moneda, 'no payout')
FROM collector.payout p
FULL JOIN (SELECT * FROM collector.audit_event WHERE payout_asked) a USING (id)
WHERE p.id_afiliado IS DISTINCT FROM a.id_afiliado OR p.referencia_pago IS DISTINCT FROM a.referencia_pago
   OR p.amount IS DISTINCT FROM a.payout OR p.moneda IS DISTINCT FROM a.moneda
UNION ALL
SELECT 'event ' || message_id, 'published', event || ' in the outbox since ' || entered_at
FROM collector.outbox
WHERE entered_at <= now() - ops.audit_grace();
COMMENT ON VIEW collector.audit_difference IS 'Each way in which events, keys, deliveries and payouts disagree';

GRANT SELECT, INSERT ON collector.event, collector.event_key, collector.payout, collector.delivery TO payments_collector;
GRANT UPDATE (state, outcome, reason, message_id, id_pago, version, changed_at, sends, due_at) ON collector.delivery TO payments_collector;
GRANT SELECT, INSERT, DELETE ON collector.signed_request TO payments_collector;
GRANT SELECT ON collector.audit_difference, collector.audit_event, collector.audit_payout TO payments_loader, payments_exporter;
GRANT SELECT ON collector.open_delivery TO payments_exporter;

-- Takes a person's name out of what partners told: an afiliado's, or a session's. The events stay, and so do their payouts.
CREATE FUNCTION collector.erase(customer text, pseudonym text) RETURNS TABLE (what text, rows bigint)
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
COMMENT ON FUNCTION collector.erase IS 'Gives the events and payouts of an afiliado, or of a session, a pseudonym';
