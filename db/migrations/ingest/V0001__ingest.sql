-- after platform 5
-- Events of payment providers, each as it came and as it was understood. What must not be, PostgreSQL refuses:
-- services/ingest/hostile_sql.int.test.ts tries.

CREATE SCHEMA ingest;

-- Apart from what was understood, which may change: a body stays as it came.
CREATE TABLE ingest.body (
  id          uuid        PRIMARY KEY, -- that of its first event, unless that one had come before
  bytes       bytea       NOT NULL,    -- without card data, packed by raw deflate: half of their room, for 20 µs an event
  sha256      bytea       NOT NULL CHECK (length(sha256) = 32), -- of the bytes before they were packed
  is_text     boolean     NOT NULL,    -- XML, CSV, a form: no JSON value
  hint        text        CHECK (length(hint) <= 255),
  source      text        NOT NULL CHECK (source ~ '^[a-z][a-z0-9_-]{0,49}$'),
  source_key  text        CHECK (length(source_key) BETWEEN 1 AND 255),
  received_at timestamptz NOT NULL,
  -- Whom it concerns, by whoever brought it: fills what the body does not say.
  merchant    text        CHECK (length(merchant) <= 255),
  country     text        CHECK (length(country) <= 255)
) PARTITION BY RANGE (id);
CREATE TABLE ingest.body_default PARTITION OF ingest.body DEFAULT;
COMMENT ON TABLE ingest.body IS 'What was sent, of which at least one event was new; final';

CREATE TABLE ingest.event (
  id                uuid        PRIMARY KEY,
  body_id           uuid        NOT NULL,
  place             integer     NOT NULL CHECK (place >= 0), -- in its body
  received_at       timestamptz NOT NULL,
  provider          text        CHECK (length(provider) BETWEEN 1 AND 50),
  rule              text,
  method            text        NOT NULL CHECK (method IN ('rule', 'learned', 'ai', 'none')),
  confidence        float8      NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  status            text        NOT NULL CHECK (status IN ('APPROVED', 'PENDING', 'DECLINED', 'FAILED', 'REFUNDED', 'CHARGEBACK', 'UNPROCESSED')),
  code              text,       -- why it is UNPROCESSED
  detail            text,
  reason            text,
  undoes            text,       -- an earlier status of the payment that it takes back
  amount            numeric     CHECK (amount >= 0), -- in main units, as the provider says, with the digits of the currency
  amount_minor      bigint      CHECK (amount_minor >= 0), -- in minor units; null without a currency
  currency          text        CHECK (currency ~ '^[A-Z]{3}$'),
  amount_usd        numeric     CHECK (amount_usd >= 0),
  fx_day            date,       -- of the rate that amount_usd was computed with; none is needed for USD
  merchant          text,
  country           text        CHECK (country ~ '^[A-Z]{2}$'),
  occurred_at       timestamptz,
  -- Where it counts: a late event on the day on which it happened.
  day               date        NOT NULL GENERATED ALWAYS AS ((coalesce(occurred_at, received_at) AT TIME ZONE 'UTC')::date) STORED,
  provider_event_id text        CHECK (length(provider_event_id) <= 255),
  payment_ref       text        CHECK (length(payment_ref) BETWEEN 1 AND 255),
  dedup_key         text        CHECK (length(dedup_key) BETWEEN 1 AND 255),
  metadata          jsonb       NOT NULL,
  provenance        jsonb       NOT NULL,
  latency_ms        integer     NOT NULL CHECK (latency_ms >= 0), -- from its arrival until it was understood
  -- It tells the same as this one, which was found out when rules had changed: it counts nowhere.
  repeats           uuid        CHECK (repeats <> id),
  attempts          smallint    NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- to understand it once more
  retry_at          timestamptz,
  CHECK ((status = 'UNPROCESSED') = (code IS NOT NULL)),
  CHECK ((code IS NULL) = (detail IS NULL)),
  CHECK (reason IS NULL OR status <> 'UNPROCESSED'),
  CHECK (amount_minor IS NULL OR amount IS NOT NULL AND currency IS NOT NULL),
  CHECK (retry_at IS NULL OR status = 'UNPROCESSED'),
  CHECK (amount_usd IS NULL OR amount IS NOT NULL AND currency IS NOT NULL AND (currency = 'USD') = (fx_day IS NULL)),
  CHECK ((amount_usd IS NULL AND fx_day IS NULL) OR amount_usd IS NOT NULL)
) PARTITION BY RANGE (id);
CREATE TABLE ingest.event_default PARTITION OF ingest.event DEFAULT;
CREATE INDEX event_by_provider ON ingest.event (provider, id);
CREATE INDEX event_by_payment ON ingest.event (payment_ref, id) WHERE payment_ref IS NOT NULL;
CREATE INDEX event_by_body ON ingest.event (body_id) WHERE place > 0;
CREATE INDEX event_unprocessed ON ingest.event (id) WHERE status = 'UNPROCESSED';
CREATE INDEX event_pending ON ingest.event (id) WHERE code = 'AI_PENDING';
CREATE INDEX event_rare ON ingest.event (status, id) WHERE status IN ('FAILED', 'REFUNDED', 'CHARGEBACK');
CREATE INDEX event_to_retry ON ingest.event (retry_at) WHERE retry_at IS NOT NULL;
CREATE INDEX event_by_mapping ON ingest.event (rule) WHERE method IN ('learned', 'ai');
CREATE INDEX event_repeating ON ingest.event (repeats) WHERE repeats IS NOT NULL;
COMMENT ON TABLE ingest.event IS 'One payment''s event out of a body, as it was understood';

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
CREATE TRIGGER event_kept_in_order BEFORE UPDATE ON ingest.event
  FOR EACH ROW EXECUTE FUNCTION ingest.keep_event();
CREATE TRIGGER event_final BEFORE DELETE ON ingest.event
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER event_kept BEFORE TRUNCATE ON ingest.event
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER body_final BEFORE UPDATE OR DELETE ON ingest.body
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER body_kept BEFORE TRUNCATE ON ingest.body
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- Over all months: partitions of event cannot have it. Whatever tells the same again meets this row.
CREATE TABLE ingest.event_key (
  scope text NOT NULL CHECK (length(scope) <= 60), -- `provider/stripe`: what the provider calls it. `source/lake`: what brought it does
  key   text NOT NULL CHECK (length(key) BETWEEN 1 AND 280),
  id    uuid NOT NULL, -- of the event that came first
  PRIMARY KEY (scope, key)
);
CREATE INDEX event_key_by_event ON ingest.event_key (id);
COMMENT ON TABLE ingest.event_key IS 'The event that came first under a name';
CREATE TRIGGER event_key_kept BEFORE UPDATE OR TRUNCATE ON ingest.event_key
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TABLE ingest.payment (
  provider    text        NOT NULL, -- '': nobody knows
  payment_ref text        NOT NULL,
  status      text        NOT NULL,
  events      integer     NOT NULL CHECK (events > 0),
  changed_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (provider, payment_ref)
) WITH (fillfactor = 80);
COMMENT ON TABLE ingest.payment IS 'How each payment stands, by all of its events, whatever the order in which they came';

-- Roll-ups, changed in the transaction of their events. '' stands for none.
CREATE TABLE ingest.event_day (
  day        date   NOT NULL,
  provider   text   NOT NULL,
  status     text   NOT NULL,
  reason     text   NOT NULL,
  code       text   NOT NULL, -- of what is UNPROCESSED
  method     text   NOT NULL,
  events     bigint NOT NULL CHECK (events >= 0),
  latency_ms bigint NOT NULL CHECK (latency_ms >= 0), -- their sum
  PRIMARY KEY (day, provider, status, reason, code, method)
) WITH (fillfactor = 70);
CREATE INDEX event_day_by_provider ON ingest.event_day (provider, day);
COMMENT ON TABLE ingest.event_day IS 'How many events there are of each kind, by the UTC day on which they happened';

CREATE TABLE ingest.amount_day (
  day      date   NOT NULL,
  provider text   NOT NULL,
  currency text   NOT NULL,
  events   bigint NOT NULL CHECK (events >= 0),
  round    bigint NOT NULL CHECK (round BETWEEN 0 AND events), -- of them with an amount in minor units that ends in 00
  PRIMARY KEY (day, provider, currency)
) WITH (fillfactor = 70);
COMMENT ON TABLE ingest.amount_day IS 'How many amounts end in 00: nearly all where major units were taken for minor ones';

-- What a currency is worth in USD. An event takes the latest rate up to its day; without one its amount_usd is null.
CREATE TABLE ingest.fx_rate (
  currency  text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$' AND currency <> 'USD'),
  day       date        NOT NULL,
  usd       numeric     NOT NULL CHECK (usd > 0), -- for one unit
  source    text        NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
  loaded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (currency, day)
);
COMMENT ON TABLE ingest.fx_rate IS 'Rates of currencies in USD, by day, each with its source';

-- Euro foreign exchange reference rates of a day: what a euro is worth. Loading newer ones is `payments fx load`.
INSERT INTO ingest.fx_rate (currency, day, usd, source)
SELECT currency, '2023-08-28', round(1.0808 / euro, 10), 'European Central Bank, euro foreign exchange reference rates'
FROM (VALUES
  ('EUR', 1), ('JPY', 158.35), ('CZK', 24.138), ('DKK', 7.4530), ('GBP', 0.85815), ('HUF', 382.63), ('PLN', 4.4735), ('RON', 4.9360),
  ('SEK', 11.9000), ('CHF', 0.9559), ('ISK', 142.30), ('NOK', 11.5705), ('TRY', 28.7045), ('AUD', 1.6839), ('BRL', 5.2633),
  ('CAD', 1.4693), ('CNY', 7.8822), ('HKD', 8.4789), ('IDR', 16523.27), ('ILS', 4.1080), ('INR', 89.3040), ('KRW', 1433.73),
  ('MXN', 18.0507), ('MYR', 5.0306), ('NZD', 1.8283), ('PHP', 61.281), ('SGD', 1.4659), ('THB', 38.125), ('ZAR', 20.1598)
) AS rate (currency, euro);

-- What an event was taken for before rules, a mapping or a rate changed it.
CREATE TABLE ingest.former_event (
  event_id   uuid        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  cause      text        NOT NULL CHECK (length(cause) BETWEEN 1 AND 200),
  was        jsonb       NOT NULL
);
CREATE INDEX former_event_by_event ON ingest.former_event (event_id, changed_at);
COMMENT ON TABLE ingest.former_event IS 'What an event was taken for until then; final';
CREATE TRIGGER former_event_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ingest.former_event
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

SELECT ops.add_rate_limit('ingest'); -- Requests of clients without a key, events of all.
SELECT ops.add_service_tables('ingest');

-- What others may see.

CREATE VIEW ingest.audit_event AS
SELECT e.id, e.body_id, e.place, b.source, b.source_key, e.provider, e.payment_ref, e.provider_event_id, e.status, e.code, e.reason,
       e.method, e.amount, e.amount_minor, e.currency, e.received_at, e.repeats
FROM ingest.event e JOIN ingest.body b ON b.id = e.body_id;
COMMENT ON VIEW ingest.audit_event IS 'Each event, where it came from and what it was taken for';

CREATE VIEW ingest.unprocessed_state AS
SELECT count(*) FILTER (WHERE retry_at IS NOT NULL) AS waiting,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(retry_at)), 0), 0)::double precision AS overdue_seconds
FROM ingest.event
WHERE retry_at IS NOT NULL;
COMMENT ON VIEW ingest.unprocessed_state IS 'How many events are tried once more, and how late the most overdue of them is';

CREATE VIEW ingest.round_share AS
SELECT provider, currency, sum(events)::bigint AS events, (sum(round) / sum(events))::double precision AS share
FROM ingest.amount_day
WHERE day > (now() AT TIME ZONE 'UTC')::date - 7 AND events > 0
GROUP BY provider, currency;
COMMENT ON VIEW ingest.round_share IS 'Share of amounts that end in 00, of the last seven days';

-- The state of each payment by the gravest of its events that no later one takes back; between equals by the latest. It is what
-- services/ingest/domain/state.ts says, in other words.
CREATE VIEW ingest.payment_status AS
SELECT DISTINCT ON (provider, payment_ref) provider, payment_ref, status
FROM (
  SELECT coalesce(e.provider, '') AS provider, e.payment_ref, e.status, coalesce(e.occurred_at, 'epoch') AS at,
         NOT EXISTS (SELECT FROM ingest.event o
                     WHERE o.payment_ref = e.payment_ref AND o.provider IS NOT DISTINCT FROM e.provider AND o.repeats IS NULL
                       AND o.undoes = e.status AND coalesce(o.occurred_at, 'infinity') >= coalesce(e.occurred_at, 'epoch')
                       AND (o.undoes <> 'REFUNDED' OR coalesce(o.amount = e.amount, true))) AS stands
  FROM ingest.event e
  WHERE e.payment_ref IS NOT NULL AND e.repeats IS NULL
) e
ORDER BY provider, payment_ref, stands DESC,
         array_position(ARRAY['CHARGEBACK', 'REFUNDED', 'APPROVED', 'DECLINED', 'FAILED', 'PENDING', 'UNPROCESSED'],
                        CASE status WHEN 'FAILED' THEN 'DECLINED' ELSE status END),
         at DESC, status DESC;
COMMENT ON VIEW ingest.payment_status IS 'How each payment stands, computed from its events';

-- What is not as it must be, a row a difference; no rows is the proof.
CREATE VIEW ingest.audit_difference AS
SELECT 'event ' || e.id AS what, 'a body' AS expected, 'none' AS found
FROM ingest.event e LEFT JOIN ingest.body b ON b.id = e.body_id
WHERE b.id IS NULL
UNION ALL
SELECT 'body ' || b.id, 'an event', 'none'
FROM ingest.body b
WHERE NOT EXISTS (SELECT FROM ingest.event e WHERE e.id = b.id)
  AND NOT EXISTS (SELECT FROM ingest.event e WHERE e.body_id = b.id AND e.place > 0)
UNION ALL
-- Whoever tells the same again must find the event.
SELECT 'event ' || e.id, 'key ' || e.dedup_key || ' of ' || coalesce(e.provider, 'nobody'), coalesce('that of event ' || k.id, 'none')
FROM ingest.event e LEFT JOIN ingest.event_key k ON k.scope = 'provider/' || coalesce(e.provider, '') AND k.key = e.dedup_key
WHERE e.dedup_key IS NOT NULL AND k.id IS DISTINCT FROM coalesce(e.repeats, e.id)
UNION ALL
SELECT 'key ' || k.scope || ' ' || k.key, 'an event of that key', 'event ' || k.id || CASE WHEN e.id IS NULL THEN ', which is not there' ELSE '' END
FROM ingest.event_key k LEFT JOIN ingest.event e ON e.id = k.id
WHERE e.id IS NULL
   OR k.scope LIKE 'provider/%' AND (k.scope, k.key) IS DISTINCT FROM ('provider/' || coalesce(e.provider, ''), e.dedup_key)
UNION ALL
SELECT 'event ' || e.id, 'the first of its kind', 'a repetition of ' || e.repeats
FROM ingest.event e LEFT JOIN ingest.event f ON f.id = e.repeats
WHERE e.repeats IS NOT NULL AND (f.id IS NULL OR f.repeats IS NOT NULL)
UNION ALL
SELECT 'payment ' || coalesce(p.payment_ref, e.payment_ref) || ' of ' || coalesce(p.provider, e.provider),
       coalesce(e.events || ' events', 'no event'), coalesce(p.events || ' events', 'no payment')
FROM ingest.payment p
FULL JOIN (SELECT coalesce(provider, '') AS provider, payment_ref, count(*) AS events FROM ingest.event
           WHERE payment_ref IS NOT NULL AND repeats IS NULL GROUP BY 1, 2) e USING (provider, payment_ref)
WHERE p.events IS DISTINCT FROM e.events
UNION ALL
SELECT 'payment ' || p.payment_ref || ' of ' || p.provider, coalesce(s.status, 'UNPROCESSED'), p.status
FROM ingest.payment p LEFT JOIN ingest.payment_status s USING (provider, payment_ref)
WHERE p.status IS DISTINCT FROM s.status
UNION ALL
SELECT 'roll-up of ' || concat_ws(', ', day, nullif(provider, ''), status, nullif(reason, ''), nullif(code, ''), method),
       coalesce(e.events || ' events, ' || e.latency_ms || ' ms', 'nothing'), coalesce(r.events || ' events, ' || r.latency_ms || ' ms', 'nothing')
FROM (SELECT * FROM ingest.event_day WHERE events > 0 OR latency_ms > 0) r
FULL JOIN (SELECT day, coalesce(provider, '') AS provider, status, coalesce(reason, '') AS reason, coalesce(code, '') AS code, method,
                  count(*) AS events, sum(latency_ms) AS latency_ms
           FROM ingest.event WHERE repeats IS NULL GROUP BY 1, 2, 3, 4, 5, 6) e USING (day, provider, status, reason, code, method)
WHERE (r.events, r.latency_ms) IS DISTINCT FROM (e.events, e.latency_ms)
UNION ALL
SELECT 'amounts of ' || concat_ws(', ', day, nullif(provider, ''), currency),
       coalesce(e.events || ', of them ' || e.round || ' in 00', 'none'), coalesce(r.events || ', of them ' || r.round || ' in 00', 'none')
FROM (SELECT * FROM ingest.amount_day WHERE events > 0) r
FULL JOIN (SELECT day, coalesce(provider, '') AS provider, currency, count(*) AS events, count(*) FILTER (WHERE amount_minor % 100 = 0) AS round
           FROM ingest.event WHERE repeats IS NULL AND amount_minor IS NOT NULL GROUP BY 1, 2, 3) e
  USING (day, provider, currency)
WHERE (r.events, r.round) IS DISTINCT FROM (e.events, e.round)
UNION ALL
SELECT 'event ' || message_id, 'published', event || ' in the outbox since ' || entered_at
FROM ingest.outbox
WHERE entered_at <= now() - ops.audit_grace();
COMMENT ON VIEW ingest.audit_difference IS 'Each way in which bodies, events, keys, payments and roll-ups disagree';

GRANT SELECT, INSERT ON ingest.body, ingest.event, ingest.former_event TO payments_ingest;
GRANT UPDATE (provider, rule, method, confidence, status, code, detail, reason, undoes, amount, amount_minor, currency,
              amount_usd, fx_day, merchant, country, occurred_at, provider_event_id, payment_ref, dedup_key, metadata, provenance, latency_ms, repeats, attempts, retry_at)
  ON ingest.event TO payments_ingest;
GRANT SELECT, INSERT, DELETE ON ingest.event_key TO payments_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.payment TO payments_ingest;
GRANT SELECT, INSERT, UPDATE ON ingest.event_day, ingest.amount_day, ingest.fx_rate TO payments_ingest;
GRANT SELECT ON ingest.audit_difference, ingest.audit_event TO payments_loader, payments_exporter;
GRANT SELECT ON ingest.unprocessed_state, ingest.round_share TO payments_exporter;
