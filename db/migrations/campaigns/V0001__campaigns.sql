-- after platform 1
-- Campaigns, what was spent of their budgets, and what was seen of them. What must not be, PostgreSQL refuses:
-- services/campaigns/hostile_sql.int.test.ts tries.

CREATE SCHEMA campaigns;

CREATE TABLE campaigns.campaign (
  campaign_id       uuid        PRIMARY KEY,
  name              text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  currency          text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  starts_at         timestamptz,
  ends_at           timestamptz,
  state             text        NOT NULL DEFAULT 'CREATED' CHECK (state IN ('CREATED', 'ACTIVE', 'PAUSED', 'COMPLETED')),
  -- In minor units.
  budget            bigint      NOT NULL CHECK (budget > 0),
  spend             bigint      NOT NULL DEFAULT 0 CHECK (spend >= 0),
  impressions       bigint      NOT NULL DEFAULT 0 CHECK (impressions >= 0),
  clicks            bigint      NOT NULL DEFAULT 0 CHECK (clicks >= 0),
  conversions       bigint      NOT NULL DEFAULT 0 CHECK (conversions >= 0),
  -- Of what people decide: one more with each change of state or budget. Counts leave it alone, or no If-Match would hold.
  version           integer     NOT NULL DEFAULT 1 CHECK (version > 0),
  -- Of what is announced: one more with each event, so that whoever reads events sees no gap.
  event_version     integer     NOT NULL DEFAULT 1 CHECK (event_version > 0),
  -- Since when counts or spend differ from what was announced.
  unannounced_since timestamptz,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now(),
  CHECK (spend <= budget),
  CHECK (ends_at > starts_at),
  UNIQUE (campaign_id, currency)
) WITH (fillfactor = 50); -- a busy campaign changes in its page
CREATE INDEX campaign_due_idx ON campaigns.campaign (ends_at) WHERE state <> 'COMPLETED' AND ends_at IS NOT NULL;
CREATE INDEX campaign_unannounced_idx ON campaigns.campaign (unannounced_since) WHERE unannounced_since IS NOT NULL;
COMMENT ON TABLE campaigns.campaign IS 'A campaign as it stands; what it spent never passes its budget';

CREATE TABLE campaigns.transition (
  from_state text NOT NULL,
  to_state   text NOT NULL,
  PRIMARY KEY (from_state, to_state)
);
INSERT INTO campaigns.transition VALUES
  ('CREATED', 'ACTIVE'), ('ACTIVE', 'PAUSED'), ('PAUSED', 'ACTIVE'),
  ('CREATED', 'COMPLETED'), ('ACTIVE', 'COMPLETED'), ('PAUSED', 'COMPLETED');
COMMENT ON TABLE campaigns.transition IS 'Changes of state that there are; all others are refused';

CREATE FUNCTION campaigns.keep_campaign() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (NEW.campaign_id, NEW.name, NEW.currency, NEW.starts_at, NEW.ends_at, NEW.created_at)
       IS NOT DISTINCT FROM (OLD.campaign_id, OLD.name, OLD.currency, OLD.starts_at, OLD.ends_at, OLD.created_at)
     AND NEW.spend >= OLD.spend AND NEW.impressions >= OLD.impressions AND NEW.clicks >= OLD.clicks
     AND NEW.conversions >= OLD.conversions AND NEW.event_version >= OLD.event_version
     AND (NEW.spend = OLD.spend OR OLD.state = 'ACTIVE')
     AND (NEW.budget = OLD.budget OR OLD.state <> 'COMPLETED')
     AND (NEW.state = OLD.state
          OR EXISTS (SELECT FROM campaigns.transition WHERE from_state = OLD.state AND to_state = NEW.state))
     AND NEW.version = OLD.version + (NEW.state <> OLD.state OR NEW.budget <> OLD.budget)::integer THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'campaign % is %: this change of it is refused', OLD.campaign_id, OLD.state
    USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER campaign_kept_in_order BEFORE UPDATE ON campaigns.campaign
  FOR EACH ROW EXECUTE FUNCTION campaigns.keep_campaign();
CREATE TRIGGER campaign_final BEFORE DELETE OR TRUNCATE ON campaigns.campaign
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TABLE campaigns.change (
  campaign_id uuid        NOT NULL REFERENCES campaigns.campaign,
  version     integer     NOT NULL CHECK (version > 0), -- that it led to
  state       text        NOT NULL,
  budget      bigint      NOT NULL,
  trace_id    uuid, -- takes 32 hex digits; null: its time was over
  changed_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (campaign_id, version)
);
CREATE TRIGGER change_final BEFORE UPDATE OR DELETE OR TRUNCATE ON campaigns.change
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE campaigns.change IS 'What became of a campaign''s state and budget, a row a change; final';

CREATE TABLE campaigns.spend (
  source            text        NOT NULL CHECK (length(source) BETWEEN 1 AND 50),
  event_id          text        NOT NULL CHECK (length(event_id) BETWEEN 1 AND 255),
  campaign_id       uuid        NOT NULL,
  outcome           text        NOT NULL CHECK (outcome IN ('spent', 'over_budget', 'not_active', 'wrong_currency')),
  amount            bigint      NOT NULL CHECK (amount > 0),
  currency          text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  campaign_currency text        NOT NULL,
  -- The event that was decided; another one with the same name is a repetition.
  message_id        text        NOT NULL CHECK (length(message_id) <= 255),
  decided_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, event_id),
  CHECK ((outcome = 'wrong_currency') = (currency <> campaign_currency)),
  FOREIGN KEY (campaign_id, campaign_currency) REFERENCES campaigns.campaign (campaign_id, currency)
);
CREATE TRIGGER spend_final BEFORE UPDATE OR DELETE OR TRUNCATE ON campaigns.spend
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE campaigns.spend IS 'What was decided about each conversion, once; those that were spent sum to their campaign''s spend';

-- Clicks and impressions, each by its partner's name for it. The collector takes each once for good; what comes twice from there
-- was said twice by a crash or a replay, which is a matter of days.
CREATE TABLE campaigns.sighting (
  source      text        NOT NULL,
  event_id    text        NOT NULL,
  kind        text        NOT NULL CHECK (kind IN ('impression', 'click')),
  campaign_id uuid        NOT NULL,
  seen_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, event_id)
);
CREATE INDEX sighting_by_age ON campaigns.sighting (seen_at);
CREATE TRIGGER sighting_final BEFORE UPDATE ON campaigns.sighting
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE campaigns.sighting IS 'Clicks and impressions that were counted, so that none is twice; kept for a week';

CREATE FUNCTION campaigns.sighting_retention() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '7 days';
COMMENT ON FUNCTION campaigns.sighting_retention IS 'How long a click or an impression is known by its name';

SELECT ops.add_service_tables('campaigns');

-- What is not as it must be, a row a difference; no rows is the proof.
CREATE VIEW campaigns.audit_difference AS
WITH spent AS (
  SELECT campaign_id, sum(amount) AS spend, count(*) AS conversions
  FROM campaigns.spend WHERE outcome = 'spent' GROUP BY campaign_id
), seen AS (
  SELECT campaign_id, count(*) FILTER (WHERE kind = 'impression') AS impressions, count(*) FILTER (WHERE kind = 'click') AS clicks
  FROM campaigns.sighting GROUP BY campaign_id
), latest AS (
  SELECT DISTINCT ON (campaign_id) campaign_id, version, state, budget
  FROM campaigns.change ORDER BY campaign_id, version DESC
)
SELECT 'campaign ' || campaign_id AS what,
       'spent ' || coalesce(s.spend, 0) || ' by ' || coalesce(s.conversions, 0) || ' conversions of its ledger' AS expected,
       coalesce('spend ' || c.spend || ', conversions ' || c.conversions, 'no campaign') AS found
FROM campaigns.campaign c FULL JOIN spent s USING (campaign_id)
WHERE c.spend IS DISTINCT FROM coalesce(s.spend, 0) OR c.conversions IS DISTINCT FROM coalesce(s.conversions, 0)
UNION ALL
SELECT 'campaign ' || campaign_id,
       coalesce(l.state || ', budget ' || l.budget || ', version ' || l.version || ' by its changes', 'no changes'),
       coalesce(c.state || ', budget ' || c.budget || ', version ' || c.version, 'no campaign')
FROM campaigns.campaign c FULL JOIN latest l USING (campaign_id)
WHERE c.state IS DISTINCT FROM l.state OR c.budget IS DISTINCT FROM l.budget OR c.version IS DISTINCT FROM l.version
UNION ALL
-- Of an older campaign some are forgotten, and only those that are left can be counted.
SELECT 'campaign ' || campaign_id,
       coalesce(s.impressions, 0) || ' impressions, ' || coalesce(s.clicks, 0) || ' clicks that are known',
       coalesce(c.impressions || ' impressions, ' || c.clicks || ' clicks', 'no campaign')
FROM campaigns.campaign c FULL JOIN seen s USING (campaign_id)
WHERE c.campaign_id IS NULL OR c.impressions < coalesce(s.impressions, 0) OR c.clicks < coalesce(s.clicks, 0)
   OR c.created_at > now() - campaigns.sighting_retention()
      AND (c.impressions <> coalesce(s.impressions, 0) OR c.clicks <> coalesce(s.clicks, 0))
UNION ALL
-- A CHECK keeps these; this is for what was changed with checks off.
SELECT 'campaign ' || campaign_id, 'spent at most its budget', spend || ' of ' || budget
FROM campaigns.campaign WHERE spend > budget OR spend < 0
UNION ALL
SELECT 'conversion ' || s.event_id || ' of ' || s.source, 'spent in its campaign''s currency', s.amount || ' ' || s.currency
FROM campaigns.spend s LEFT JOIN campaigns.campaign c USING (campaign_id)
WHERE s.outcome = 'spent' AND s.currency IS DISTINCT FROM c.currency
UNION ALL
SELECT 'campaign ' || campaign_id, 'COMPLETED since ' || ends_at, state
FROM campaigns.campaign
WHERE state <> 'COMPLETED' AND ends_at <= now() - ops.audit_grace()
UNION ALL
SELECT 'campaign ' || campaign_id, 'announced', 'not since ' || unannounced_since
FROM campaigns.campaign
WHERE unannounced_since <= now() - ops.audit_grace()
UNION ALL
SELECT 'event ' || message_id, 'published', event || ' in the outbox since ' || entered_at
FROM campaigns.outbox
WHERE entered_at <= now() - ops.audit_grace();
COMMENT ON VIEW campaigns.audit_difference IS 'Each way in which campaigns, their changes, spends and sightings disagree';

-- What others may see: the exporter what lags, a report all campaigns.
CREATE VIEW campaigns.lag AS
SELECT greatest(coalesce(extract(epoch FROM clock_timestamp() - min(unannounced_since)), 0), 0)::double precision
         AS oldest_unannounced_age_seconds,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(ends_at) FILTER (WHERE state <> 'COMPLETED')), 0), 0)::double precision
         AS oldest_overdue_age_seconds
FROM campaigns.campaign
WHERE unannounced_since IS NOT NULL OR state <> 'COMPLETED' AND ends_at IS NOT NULL;
COMMENT ON VIEW campaigns.lag IS 'Since when a campaign''s counts wait to be announced, and one that is over to be completed';

CREATE VIEW campaigns.report_campaign AS
SELECT campaign_id, name, state, currency, budget, spend, impressions, clicks, conversions, created_at, ends_at FROM campaigns.campaign;
COMMENT ON VIEW campaigns.report_campaign IS 'Campaigns for reports; amounts in minor units';
CREATE VIEW campaigns.report_spend AS
SELECT campaign_id, outcome, amount, currency, decided_at FROM campaigns.spend;
COMMENT ON VIEW campaigns.report_spend IS 'What was decided about conversions; amounts in minor units';

GRANT SELECT, INSERT ON campaigns.campaign, campaigns.change, campaigns.spend TO payments_campaigns;
GRANT SELECT, INSERT, DELETE ON campaigns.sighting TO payments_campaigns;
GRANT UPDATE (seen_at) ON campaigns.sighting TO payments_campaigns; -- to lock what it purges; its trigger refuses changes
GRANT UPDATE (state, budget, spend, impressions, clicks, conversions, version, event_version, unannounced_since, updated_at)
  ON campaigns.campaign TO payments_campaigns;
GRANT SELECT ON campaigns.transition TO payments_campaigns;
GRANT SELECT ON campaigns.audit_difference TO payments_loader, payments_exporter;
GRANT SELECT ON campaigns.lag TO payments_exporter;
GRANT USAGE ON SCHEMA campaigns TO payments_reader;
GRANT SELECT ON campaigns.report_campaign, campaigns.report_spend TO payments_reader;

CREATE VIEW campaigns.audit_spend AS
SELECT source, event_id, campaign_id, outcome, amount, currency, decided_at FROM campaigns.spend;
COMMENT ON VIEW campaigns.audit_spend IS 'What was decided about each conversion; amounts in minor units';
CREATE VIEW campaigns.audit_campaign AS
SELECT campaign_id, state, currency, budget, spend, impressions, clicks, conversions, unannounced_since, updated_at FROM campaigns.campaign;
COMMENT ON VIEW campaigns.audit_campaign IS 'Campaigns, and since when their counts are not announced; amounts in minor units';
GRANT SELECT ON campaigns.audit_spend, campaigns.audit_campaign TO payments_loader, payments_exporter;
