-- What partners told in generated traffic, and what must have come of it.

CREATE TABLE traffic.campaign (
  traffic_id  bigint NOT NULL REFERENCES traffic.run ON DELETE CASCADE,
  campaign_id uuid   NOT NULL,
  currency    text   NOT NULL,
  budget      bigint NOT NULL CHECK (budget > 0), -- in minor units
  active      boolean NOT NULL,
  PRIMARY KEY (traffic_id, campaign_id)
);
COMMENT ON TABLE traffic.campaign IS 'Campaigns that were made for a run';

CREATE TABLE traffic.partner_event (
  traffic_id      bigint NOT NULL REFERENCES traffic.run ON DELETE CASCADE,
  source          text   NOT NULL,
  event_id        text   NOT NULL,
  type            text   NOT NULL CHECK (type IN ('click', 'impression', 'conversion', 'payment')),
  campaign_id     uuid,
  id_afiliado     text,
  referencia_pago text,
  moneda          text,
  spend           bigint CHECK (spend > 0),  -- in minor units, as payout
  payout          bigint CHECK (payout > 0), -- a payment, or the commission of a conversion
  -- spent or over_budget: by the order in which events came. Clicks and impressions: nothing.
  expected        text   CHECK (expected IN ('paid', 'spent', 'spent or over_budget', 'not_active', 'wrong_currency')),
  -- How often it was told, and what is known of that: created, once at least; unknown: it may be there.
  told            integer NOT NULL CHECK (told > 0),
  answer          text   NOT NULL CHECK (answer IN ('created', 'refused', 'unknown')),
  PRIMARY KEY (traffic_id, source, event_id)
);
COMMENT ON TABLE traffic.partner_event IS 'The answer key of partners'' events';

CREATE VIEW traffic.audit_partner_event AS
SELECT e.*, c.currency, c.budget FROM traffic.partner_event e LEFT JOIN traffic.campaign c USING (traffic_id, campaign_id);
COMMENT ON VIEW traffic.audit_partner_event IS 'What each event of a run must have come to';

GRANT SELECT, INSERT, DELETE ON traffic.campaign, traffic.partner_event TO payments_traffic;
GRANT SELECT ON traffic.audit_partner_event TO payments_loader;
