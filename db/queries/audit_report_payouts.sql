-- Payouts as reports serves them against Pagos. What changed within the grace of the audit, or after the newest event that reports has, is
-- on its way: how long is the lag of its queues. What is open is PENDIENTE in reports: only what follows is told.
-- Result: what, expected, found

SELECT 'payout ' || coalesce(p.id_pago, r.payout_id) AS what,
       coalesce(p.estado || CASE WHEN p.returned THEN ' and returned' ELSE '' END || ', ' || p.monto || ' ' || p.moneda, 'no Pago') AS expected,
       coalesce(r.state || CASE WHEN r.returned THEN ' and returned' ELSE '' END || ', ' || r.amount || ' ' || r.currency, 'nothing') AS found
FROM payouts.audit_pago p
FULL JOIN reports.audit_payout r ON r.payout_id = p.id_pago
CROSS JOIN reports.audit_head h
WHERE (p.id_pago IS NULL OR p.changed_at <= now() - ops.audit_grace() AND p.changed_at <= h.applied_at)
  AND (p.monto, p.moneda, p.returned, CASE p.estado WHEN 'PROCESANDO' THEN 'PENDIENTE' ELSE p.estado END)
      IS DISTINCT FROM (r.amount, r.currency, r.returned, CASE r.state WHEN 'PROCESANDO' THEN 'PENDIENTE' ELSE r.state END)
ORDER BY what
