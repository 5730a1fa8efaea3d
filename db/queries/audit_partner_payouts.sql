-- What partners' payouts came to by what the collector was told, against what payouts says of the same Pagos. What changed within the
-- grace of the audit is in flight; a payout without a Pago is, too, unless nothing may be.
-- Result: what, expected, found

WITH asked AS (
  SELECT *, 'payout ' || referencia_pago || ' of ' || id_afiliado AS what FROM collector.audit_payout WHERE state <> 'refused'
)
SELECT what, outcome || ', ' || amount || ' ' || a.moneda AS expected,
       coalesce(p.estado || CASE WHEN p.returned THEN ' and returned' ELSE '' END || ', ' || p.monto || ' ' || p.moneda, 'no Pago') AS found
FROM asked a LEFT JOIN payouts.audit_pago p USING (id_pago)
WHERE a.id_pago IS NOT NULL AND greatest(a.changed_at, p.changed_at) <= now() - ops.audit_grace()
  AND (p.id_pago IS NULL OR p.monto <> a.amount OR p.moneda <> a.moneda
       OR CASE a.outcome WHEN 'pending' THEN p.estado NOT IN ('PENDIENTE', 'PROCESANDO')
                         WHEN 'failed' THEN p.estado <> 'FALLIDO'
                         ELSE p.estado <> 'EXITOSO' OR p.returned <> (a.outcome = 'returned') END)
UNION ALL
SELECT what, 'a Pago', 'none' FROM asked WHERE id_pago IS NULL AND ops.audit_grace() = interval '0'
UNION ALL
SELECT 'Pago ' || id_pago, 'one payout', string_agg(what, ', ' ORDER BY what)
FROM asked
WHERE id_pago IS NOT NULL
GROUP BY id_pago
HAVING count(*) > 1
ORDER BY what
