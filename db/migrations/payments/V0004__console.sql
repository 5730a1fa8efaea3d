-- What the console shows of payments.

CREATE VIEW saga.console_payment AS
SELECT payment_id, customer_id, reference, amount, refunded, currency, method, state, awaiting, reason, trace_id, created_at, updated_at,
       due_at
FROM saga.payment;
COMMENT ON VIEW saga.console_payment IS 'Payments as they stand; amounts in minor units';

CREATE VIEW saga.console_step AS
SELECT payment_id, event, message_id, state, awaiting, trace_id, taken_at FROM saga.step;
COMMENT ON VIEW saga.console_step IS 'What happened to payments';

GRANT USAGE ON SCHEMA saga TO payments_console;
GRANT SELECT ON saga.console_payment, saga.console_step TO payments_console;
