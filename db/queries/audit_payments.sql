-- What payments says of each payment against what the wallet moved for it: debit − refunds is the amount (APPROVED), what is left of
-- it (PARTIALLY_REFUNDED, REFUNDED) or nothing (DECLINED, an orphan, a payment that nobody knows). What changed within the grace of
-- the audit is in flight, and so is a pending payment: saga.audit_difference says how long it may be that. An orphan has the
-- amount that was debited.
-- Result: what, expected, found

SELECT 'payment ' || payment_id AS what,
       coalesce(p.state || ' of ' || p.customer_id || ', ' || p.amount || ' ' || p.currency || ', refunded ' || p.refunded,
                'all refunded: an orphan of ' || o.amount, 'nothing taken: payments does not know it') AS expected,
       coalesce(w.outcome || ' of ' || w.user_id || ', ' || coalesce(w.amount || ' ' || w.currency, 'no amount') || ', refunded ' || w.refunded,
                'no decision of the wallet') AS found
FROM saga.audit_payment p
FULL JOIN wallet.audit_payment w USING (payment_id)
LEFT JOIN saga.audit_orphan o USING (payment_id)
CROSS JOIN LATERAL (SELECT CASE w.outcome WHEN 'approved' THEN w.amount ELSE 0 END AS debited, w.refunded) wallet
WHERE p.state IS DISTINCT FROM 'PENDING'
  AND greatest(p.updated_at, w.changed_at, o.recorded_at) <= now() - ops.audit_grace()
  AND (coalesce(wallet.debited - wallet.refunded, 0)
         <> CASE WHEN p.state IS NULL OR p.state = 'DECLINED' THEN 0 ELSE p.amount - p.refunded END
       OR coalesce(wallet.refunded, 0) <> coalesce(p.refunded, coalesce(wallet.refunded, 0))
       OR wallet.debited > 0 AND (w.amount, w.currency, w.user_id) IS DISTINCT FROM (p.amount, p.currency, p.customer_id)
          AND p.state IS NOT NULL
       -- The wallet tells amounts with all digits of their currency.
       OR ltrim(replace(o.amount, '.', ''), '0') <> w.amount::text)
ORDER BY what
