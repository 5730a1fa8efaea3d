-- after platform 1
-- What generated traffic asked for, and what must have come of it: for the audit alone, no service sees it.

CREATE SCHEMA traffic;

CREATE TABLE traffic.run (
  traffic_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  spec       jsonb       NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at   timestamptz
);
COMMENT ON TABLE traffic.run IS 'One call of payments traffic; without ended_at its answer key is not whole';

CREATE TABLE traffic.payment (
  traffic_id  bigint NOT NULL REFERENCES traffic.run ON DELETE CASCADE,
  reference   text   NOT NULL,
  customer_id text   NOT NULL,
  currency    text   NOT NULL,
  amount      bigint NOT NULL CHECK (amount > 0), -- in minor units
  expected    text   NOT NULL CHECK (expected IN ('approved', 'fraud_detected', 'insufficient_funds')),
  -- unknown: it was asked for, also again, and nobody answered; it may be there, once.
  answer      text   NOT NULL CHECK (answer IN ('created', 'refused', 'unknown')),
  PRIMARY KEY (traffic_id, reference)
);
COMMENT ON TABLE traffic.payment IS 'The answer key of payments that were asked for';

CREATE VIEW traffic.audit_payment AS
SELECT r.traffic_id, r.ended_at, p.reference, p.customer_id, p.currency, p.amount, p.expected, p.answer
FROM traffic.run r LEFT JOIN traffic.payment p USING (traffic_id);
COMMENT ON VIEW traffic.audit_payment IS 'What each payment of a run must have come to; a run without payments has a row too';

GRANT USAGE ON SCHEMA ops, traffic TO payments_traffic;
GRANT SELECT ON ops.module_migration TO payments_traffic;
GRANT SELECT, INSERT, DELETE ON traffic.run TO payments_traffic;
GRANT UPDATE (ended_at) ON traffic.run TO payments_traffic;
GRANT SELECT, INSERT, DELETE ON traffic.payment TO payments_traffic;
GRANT USAGE ON SCHEMA traffic TO payments_loader;
GRANT SELECT ON traffic.audit_payment TO payments_loader;
