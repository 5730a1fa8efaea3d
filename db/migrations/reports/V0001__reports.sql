-- after platform 1
-- What was told of payouts and campaigns, and reports made of it. The archive is the truth: whatever else is here can be made of it
-- again. What must not be, PostgreSQL refuses: services/reports/hostile_sql.int.test.ts tries.

CREATE SCHEMA reports;

-- Whoever archives holds this row until the commit. So positions are given in the order of commits, without gaps: who has seen one has
-- seen all before it, and no transaction that commits late is ever skipped.
CREATE TABLE reports.head (
  one        boolean     PRIMARY KEY DEFAULT true CHECK (one), -- row
  position   bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
  applied_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO reports.head DEFAULT VALUES;
COMMENT ON TABLE reports.head IS 'Position of the newest event in the archive, and when it was applied';

CREATE TABLE reports.event (
  position     bigint      NOT NULL CHECK (position > 0),
  kind         text        NOT NULL CHECK (kind IN ('payout', 'campaign')),
  aggregate_id uuid        NOT NULL,
  version      bigint      NOT NULL CHECK (version > 0),
  event        text        NOT NULL,
  -- Of the body's currency, so that SQL knows what its amounts are in minor units.
  minor_digits smallint    NOT NULL CHECK (minor_digits BETWEEN 0 AND 4),
  body         jsonb       NOT NULL,
  message_id   text        NOT NULL CHECK (length(message_id) <= 255),
  archived_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (aggregate_id, version)
) PARTITION BY RANGE (aggregate_id);
CREATE TABLE reports.event_default PARTITION OF reports.event DEFAULT;
CREATE INDEX event_position_idx ON reports.event (position);
CREATE TRIGGER event_final BEFORE UPDATE OR DELETE ON reports.event
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER event_kept BEFORE TRUNCATE ON reports.event
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE reports.event IS 'Every event as it was told, once; final';

CREATE TABLE reports.generation (
  generation   integer     PRIMARY KEY CHECK (generation > 0),
  -- live: every event is projected into it. Which of those is served, the latest switch says.
  state        text        NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'live', 'retired', 'dropped')),
  position     bigint      NOT NULL DEFAULT 0 CHECK (position >= 0), -- up to which the archive is projected
  changed_at   timestamptz NOT NULL DEFAULT now(),
  -- How many differences from what is served somebody was shown, and at which position.
  shown_differences integer,
  shown_position    bigint,
  -- Who rebuilds it, and until when that is believed.
  rebuilder    text,
  leased_until timestamptz
);
-- One that is served, one beside it.
CREATE UNIQUE INDEX generation_one_building ON reports.generation (state) WHERE state = 'building';
INSERT INTO reports.generation (generation, state) VALUES (1, 'live');
COMMENT ON TABLE reports.generation IS 'Read models: each is made of the whole archive by one projection';

CREATE TABLE reports.switch (
  epoch       integer     PRIMARY KEY CHECK (epoch > 0),
  version     text        NOT NULL CHECK (version IN ('v1', 'v2')),
  generation  integer     NOT NULL REFERENCES reports.generation,
  switched_by text        NOT NULL CHECK (length(switched_by) BETWEEN 1 AND 255),
  trace_id    uuid,
  switched_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO reports.switch (epoch, version, generation, switched_by) VALUES (1, 'v1', 1, 'migration');
CREATE TRIGGER switch_final BEFORE UPDATE OR DELETE OR TRUNCATE ON reports.switch
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE reports.switch IS 'Which version and generation are served, by the latest row; the others say who served what, and when; final';

CREATE VIEW reports.served AS
SELECT s.epoch, s.version, s.generation, s.switched_by, s.switched_at, h.position, h.applied_at
FROM (SELECT * FROM reports.switch ORDER BY epoch DESC LIMIT 1) s CROSS JOIN reports.head h;
COMMENT ON VIEW reports.served IS 'What is served now';

-- A switch is the next one, and to a generation that has all events.
CREATE FUNCTION reports.keep_switch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.epoch <> (SELECT max(epoch) + 1 FROM reports.switch)
     AND NOT EXISTS (SELECT FROM reports.switch WHERE epoch = NEW.epoch) THEN -- which the primary key refuses
    RAISE EXCEPTION 'epoch % is not the next one', NEW.epoch USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT EXISTS (SELECT FROM reports.generation WHERE generation = NEW.generation AND state = 'live') THEN
    RAISE EXCEPTION 'generation % does not follow the events', NEW.generation USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER switch_in_order BEFORE INSERT ON reports.switch FOR EACH ROW EXECUTE FUNCTION reports.keep_switch();

CREATE FUNCTION reports.keep_generation() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.position < OLD.position THEN
    RAISE EXCEPTION 'generation % goes back to %', OLD.generation, NEW.position USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state <> OLD.state
     AND (OLD.state || ' ' || NEW.state NOT IN ('building live', 'building retired', 'live retired', 'retired dropped')
          OR NEW.state = 'retired' AND OLD.generation = (SELECT generation FROM reports.served)) THEN
    RAISE EXCEPTION 'generation % is %: it cannot be %', OLD.generation, OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER generation_in_order BEFORE UPDATE ON reports.generation FOR EACH ROW EXECUTE FUNCTION reports.keep_generation();
CREATE TRIGGER generation_final BEFORE DELETE OR TRUNCATE ON reports.generation
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE FUNCTION reports.keep_head() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'the archive goes back to %', NEW.position USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER head_in_order BEFORE UPDATE ON reports.head
  FOR EACH ROW WHEN (NEW.position < OLD.position) EXECUTE FUNCTION reports.keep_head();
CREATE TRIGGER head_final BEFORE DELETE OR TRUNCATE ON reports.head
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- Read models. Generations are told apart by a column, not by tables: making and dropping one takes no lock that a reader waits for.

CREATE TABLE reports.payout (
  generation integer NOT NULL,
  payout_id  uuid    NOT NULL,
  version    bigint  NOT NULL, -- the greatest that was told
  affiliate  text    NOT NULL,
  currency   text    NOT NULL,
  amount     bigint  NOT NULL CHECK (amount > 0),
  state      text    NOT NULL CHECK (state IN ('PENDIENTE', 'PROCESANDO', 'EXITOSO', 'FALLIDO')),
  returned   boolean NOT NULL,
  -- Of its first event, UTC. Until that has come the payout is parked: it is in no sum.
  day        date,
  PRIMARY KEY (generation, payout_id)
);
CREATE INDEX payout_parked_idx ON reports.payout (generation) WHERE day IS NULL;
COMMENT ON TABLE reports.payout IS 'Each payout by its newest event';

CREATE TABLE reports.payout_day (
  generation integer NOT NULL,
  day        date    NOT NULL,
  currency   text    NOT NULL,
  state      text    NOT NULL,
  payouts    bigint  NOT NULL CHECK (payouts >= 0),
  amount     numeric NOT NULL CHECK (amount >= 0),
  returned   bigint  NOT NULL CHECK (returned BETWEEN 0 AND payouts),
  PRIMARY KEY (generation, day, currency, state)
);
COMMENT ON TABLE reports.payout_day IS 'Payouts rolled up by the day of their first event';

CREATE TABLE reports.payout_affiliate (
  generation integer NOT NULL,
  affiliate  text    NOT NULL,
  currency   text    NOT NULL,
  payouts    bigint  NOT NULL CHECK (payouts >= 0),
  amount     numeric NOT NULL CHECK (amount >= 0),
  completed  bigint  NOT NULL CHECK (completed >= 0),
  failed     bigint  NOT NULL CHECK (failed >= 0),
  PRIMARY KEY (generation, affiliate, currency),
  CHECK (completed + failed <= payouts)
);
CREATE INDEX payout_affiliate_largest_idx ON reports.payout_affiliate (generation, payouts DESC, affiliate, currency);
COMMENT ON TABLE reports.payout_affiliate IS 'Payouts rolled up by whom they are for';

CREATE TABLE reports.campaign (
  generation  integer NOT NULL,
  campaign_id uuid    NOT NULL,
  version     bigint  NOT NULL,
  name        text    NOT NULL,
  state       text    NOT NULL CHECK (state IN ('CREATED', 'ACTIVE', 'PAUSED', 'COMPLETED')),
  currency    text    NOT NULL,
  budget      bigint  NOT NULL CHECK (budget >= 0),
  spend       bigint  NOT NULL CHECK (spend >= 0),
  impressions bigint  NOT NULL CHECK (impressions >= 0),
  clicks      bigint  NOT NULL CHECK (clicks >= 0),
  conversions bigint  NOT NULL CHECK (conversions >= 0),
  PRIMARY KEY (generation, campaign_id)
);
COMMENT ON TABLE reports.campaign IS 'Each campaign by its newest event';

SELECT ops.add_service_tables('reports');

-- A read model as lines of text, so that two of them, or one and the archive, are compared in one way.
CREATE VIEW reports.content AS
SELECT generation, 'payout ' || payout_id AS what,
       concat_ws(' ', 'version', version, state, CASE WHEN returned THEN 'returned' END, amount, currency, 'of', affiliate,
                 coalesce('since ' || day, 'parked')) AS value
FROM reports.payout
UNION ALL
SELECT generation, 'campaign ' || campaign_id,
       concat_ws(' ', 'version', version, state, 'spent', spend, 'of', budget, currency, 'seen', impressions, 'clicked', clicks,
                 'converted', conversions, name)
FROM reports.campaign
UNION ALL
SELECT generation, concat_ws(' ', 'day', day, currency, state), concat_ws(' ', payouts, 'payouts,', amount, 'returned', returned)
FROM reports.payout_day WHERE payouts > 0
UNION ALL
SELECT generation, concat_ws(' ', 'affiliate', affiliate, currency),
       concat_ws(' ', payouts, 'payouts,', amount, 'completed', completed, 'failed', failed)
FROM reports.payout_affiliate WHERE payouts > 0;
COMMENT ON VIEW reports.content IS 'Read models by generation, a line for each thing that they say';

-- The same of the archive, by other statements than those that project.
CREATE VIEW reports.archived_payout AS
SELECT e.aggregate_id AS payout_id, e.version, e.body ->> 'id_afiliado' AS affiliate, e.body ->> 'moneda' AS currency,
       ((e.body ->> 'monto')::numeric * 10::numeric ^ e.minor_digits)::bigint AS amount, e.body ->> 'estado' AS state,
       e.event = 'payments.evt.returned' AS returned,
       (SELECT ((f.body ->> 'occurred_at')::timestamptz AT TIME ZONE 'UTC')::date
        FROM reports.event f WHERE f.aggregate_id = e.aggregate_id AND f.version = 1) AS day
FROM reports.event e
WHERE e.kind = 'payout'
  AND NOT EXISTS (SELECT FROM reports.event newer WHERE newer.aggregate_id = e.aggregate_id AND newer.version > e.version);
COMMENT ON VIEW reports.archived_payout IS 'Payouts as the archive has them';

CREATE VIEW reports.archived_content AS
SELECT 'payout ' || payout_id AS what,
       concat_ws(' ', 'version', version, state, CASE WHEN returned THEN 'returned' END, amount, currency, 'of', affiliate,
                 coalesce('since ' || day, 'parked')) AS value
FROM reports.archived_payout
UNION ALL
SELECT 'campaign ' || aggregate_id,
       concat_ws(' ', 'version', version, body ->> 'state',
                 'spent', ((body ->> 'spend')::numeric * 10::numeric ^ minor_digits)::bigint,
                 'of', ((body ->> 'budget')::numeric * 10::numeric ^ minor_digits)::bigint, body ->> 'currency',
                 'seen', body ->> 'impressions', 'clicked', body ->> 'clicks', 'converted', body ->> 'conversions', body ->> 'name')
FROM reports.event e
WHERE kind = 'campaign'
  AND NOT EXISTS (SELECT FROM reports.event newer WHERE newer.aggregate_id = e.aggregate_id AND newer.version > e.version)
UNION ALL
SELECT concat_ws(' ', 'day', day, currency, state),
       concat_ws(' ', count(*), 'payouts,', sum(amount), 'returned', count(*) FILTER (WHERE returned))
FROM reports.archived_payout WHERE day IS NOT NULL
GROUP BY day, currency, state
UNION ALL
SELECT concat_ws(' ', 'affiliate', affiliate, currency),
       concat_ws(' ', count(*), 'payouts,', sum(amount), 'completed', count(*) FILTER (WHERE state = 'EXITOSO'),
                 'failed', count(*) FILTER (WHERE state = 'FALLIDO'))
FROM reports.archived_payout WHERE day IS NOT NULL
GROUP BY affiliate, currency;
COMMENT ON VIEW reports.archived_content IS 'What a read model must say, made of the archive';

-- Payouts whose first event has not come, and since when that is known.
CREATE VIEW reports.parked AS
SELECT p.payout_id, min(e.archived_at) AS since
FROM reports.payout p
JOIN reports.served s USING (generation)
JOIN reports.event e ON e.aggregate_id = p.payout_id
WHERE p.day IS NULL
GROUP BY p.payout_id;
COMMENT ON VIEW reports.parked IS 'Payouts that are in no sum, since their first event has not come';

-- What is not as it must be, a row a difference; no rows is the proof.
CREATE VIEW reports.audit_difference AS
SELECT what, coalesce(a.value, 'nothing: the archive does not have it') AS expected, coalesce(c.value, 'nothing') AS found
FROM reports.archived_content a
FULL JOIN (SELECT what, value FROM reports.content JOIN reports.served USING (generation)) c USING (what)
WHERE a.value IS DISTINCT FROM c.value
UNION ALL
SELECT 'archive', h.position || ' events at positions 1 to ' || h.position,
       count(e.position) || ' events at ' || count(DISTINCT e.position) || ' positions up to ' || coalesce(max(e.position), 0)
FROM reports.head h LEFT JOIN reports.event e ON true
GROUP BY h.position
HAVING count(e.position) <> h.position OR count(DISTINCT e.position) <> h.position OR coalesce(max(e.position), 0) <> h.position
UNION ALL
SELECT 'generation ' || g.generation, 'at position ' || h.position, 'at position ' || g.position
FROM reports.generation g CROSS JOIN reports.head h
WHERE g.state = 'live' AND g.position <> h.position
UNION ALL
SELECT 'payout ' || payout_id, 'its first event, before ' || (since + ops.audit_grace()), 'parked since ' || since
FROM reports.parked
WHERE since <= now() - ops.audit_grace();
COMMENT ON VIEW reports.audit_difference IS 'Each way in which the read model that is served differs from the archive';

CREATE VIEW reports.audit_payout AS
SELECT p.payout_id, p.currency, p.amount, p.state, p.returned
FROM reports.payout p JOIN reports.served s USING (generation);
COMMENT ON VIEW reports.audit_payout IS 'Payouts as they are served; amounts in minor units';
CREATE VIEW reports.audit_campaign AS
SELECT c.campaign_id, c.state, c.currency, c.budget, c.spend, c.impressions, c.clicks, c.conversions
FROM reports.campaign c JOIN reports.served s USING (generation);
COMMENT ON VIEW reports.audit_campaign IS 'Campaigns as they are served; amounts in minor units';
CREATE VIEW reports.audit_head AS SELECT position, applied_at FROM reports.head;
COMMENT ON VIEW reports.audit_head IS 'How many events there are, and when the newest was applied';

-- What others may see: the exporter how it stands, a report the sums.

CREATE VIEW reports.state AS
SELECT s.epoch, s.generation, s.position,
       (SELECT count(*) FROM reports.parked) AS parked_payouts,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(since) FROM reports.parked)), 0), 0)::double precision
         AS parked_oldest_age_seconds,
       coalesce((SELECT s.position - min(g.position) FROM reports.generation g WHERE g.state = 'building'), 0) AS rebuild_behind_events,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - (
         SELECT min(g.leased_until) FROM reports.generation g
         WHERE g.state IN ('building', 'live') AND g.generation <> s.generation)), 0), 0)::double precision AS rebuild_left_age_seconds
FROM reports.served s;
COMMENT ON VIEW reports.state IS 'How it stands with what is served, what is parked, and a rebuild that somebody left';

CREATE VIEW reports.report_day AS
SELECT day, currency, state, payouts, amount, returned
FROM reports.payout_day JOIN reports.served USING (generation)
WHERE payouts > 0;
COMMENT ON VIEW reports.report_day IS 'Payouts that are served, by day, currency and state; amounts in minor units';

GRANT SELECT ON reports.head, reports.event, reports.generation, reports.switch, reports.served, reports.content TO payments_reports;
GRANT INSERT ON reports.event, reports.generation, reports.switch TO payments_reports;
GRANT UPDATE (position, applied_at) ON reports.head TO payments_reports;
GRANT UPDATE (state, position, changed_at, shown_differences, shown_position, rebuilder, leased_until) ON reports.generation TO payments_reports;
GRANT SELECT, INSERT, UPDATE, DELETE ON reports.payout, reports.payout_day, reports.payout_affiliate, reports.campaign TO payments_reports;
GRANT SELECT ON reports.audit_difference, reports.audit_payout, reports.audit_campaign, reports.audit_head TO payments_loader, payments_exporter;
GRANT SELECT ON reports.state, reports.report_day TO payments_exporter;
GRANT USAGE ON SCHEMA reports TO payments_reader;
GRANT SELECT ON reports.report_day TO payments_reader;

-- Takes a person's name out of the archive and of all that was made of it. Called by `payments erase`.
CREATE FUNCTION reports.erase(customer text, pseudonym text) RETURNS TABLE (what text, rows bigint)
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM FROM reports.head FOR NO KEY UPDATE; -- nothing is archived meanwhile
  IF EXISTS (SELECT FROM reports.archived_payout p WHERE p.affiliate = customer AND p.state NOT IN ('EXITOSO', 'FALLIDO')) THEN
    RAISE object_in_use USING MESSAGE = 'a payout of the customer is in flight';
  END IF;
  what := 'events of payouts';
  UPDATE reports.event e
  SET body = e.body || jsonb_build_object('id_afiliado', pseudonym, 'referencia_pago', pseudonym)
  WHERE e.kind = 'payout' AND e.body ->> 'id_afiliado' = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'payouts in reports';
  UPDATE reports.payout p SET affiliate = pseudonym WHERE p.affiliate = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  what := 'sums of reports';
  UPDATE reports.payout_affiliate a SET affiliate = pseudonym WHERE a.affiliate = customer;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN NEXT;
  -- What is served says something else now, without an event.
  INSERT INTO reports.switch (epoch, version, generation, switched_by)
  SELECT epoch + 1, version, generation, 'payments erase' FROM reports.served
  WHERE EXISTS (SELECT FROM reports.payout p WHERE p.affiliate = pseudonym);
END
$$;
COMMENT ON FUNCTION reports.erase IS 'Gives an affiliate''s payouts a pseudonym, and forgets how they were referred to';
