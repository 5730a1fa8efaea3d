-- What the console shows of Pagos.

CREATE VIEW payouts.console_pago AS
SELECT p.id_pago, p.id_afiliado, p.referencia_pago, p.monto, p.moneda, p.estado, p.motivo, p.trace_id, p.created_at, p.updated_at,
       p.gateway_key, p.sent_at, p.gateway_id, p.ended, p.takes, r.motivo AS returned_motivo, r.returned_at
FROM payouts.pago p
LEFT JOIN payouts.returned r USING (id_pago);
COMMENT ON VIEW payouts.console_pago IS 'Pagos as they stand; amounts in minor units';

CREATE VIEW payouts.console_paid AS SELECT id_pago, gateway_id, monto, moneda, paid_at FROM payouts.paid;
COMMENT ON VIEW payouts.console_paid IS 'Money that went out; amounts in minor units';

CREATE VIEW payouts.console_outbox AS SELECT message_id, event, headers ->> 'key' AS key, entered_at FROM payouts.outbox;
COMMENT ON VIEW payouts.console_outbox IS 'Events that wait to be published, and whom they are about';

GRANT USAGE ON SCHEMA payouts TO payments_console;
GRANT SELECT ON payouts.console_pago, payouts.console_paid, payouts.console_outbox, payouts.open_state TO payments_console;
