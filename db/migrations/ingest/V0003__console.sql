-- What the console shows of providers' events. Bodies were masked when they came.

CREATE VIEW ingest.console_event AS
SELECT id, body_id, place, received_at, provider, rule, method, confidence, status, code, detail, reason, undoes, amount, currency,
       amount_usd, fx_day, merchant, country, occurred_at, provider_event_id, payment_ref, metadata, provenance, latency_ms, repeats,
       attempts, retry_at
FROM ingest.event;
COMMENT ON VIEW ingest.console_event IS 'Events as they were understood';

CREATE VIEW ingest.console_body AS SELECT id, bytes, hint, source FROM ingest.body;
COMMENT ON VIEW ingest.console_body IS 'What was sent: text, deflated';

CREATE VIEW ingest.console_payment AS SELECT provider, payment_ref, status, events FROM ingest.payment;
COMMENT ON VIEW ingest.console_payment IS 'How payments of providers stand';

CREATE VIEW ingest.console_former_event AS
SELECT event_id, changed_at, cause, was ->> 'status' AS status, was ->> 'rule' AS rule FROM ingest.former_event;
COMMENT ON VIEW ingest.console_former_event IS 'What events were taken for before';

CREATE VIEW ingest.console_mapping AS
SELECT id, family, layout, mapping, state, votes, confirmations, waits_for, decided_by, created_at, changed_at FROM ingest.mapping;
COMMENT ON VIEW ingest.console_mapping IS 'Where providers'' events have their fields, as a model said';

GRANT USAGE ON SCHEMA ingest TO payments_console;
GRANT SELECT ON ingest.console_event, ingest.console_body, ingest.console_payment, ingest.console_former_event, ingest.console_mapping
  TO payments_console;
