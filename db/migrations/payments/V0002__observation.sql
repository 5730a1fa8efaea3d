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
