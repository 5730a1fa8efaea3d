-- What is to be asked of the wallet about payments: as payments knows them, else as the wallet does. Of one that the wallet has never
-- decided it would take the money now: only where payments has approved it and nothing went back.
-- $1 ids of payments

SELECT payment_id AS "paymentId", coalesce(p.customer_id, w.user_id) AS "userId",
       coalesce(p.amount, w.amount)::text AS amount, coalesce(p.currency, w.currency) AS currency
FROM saga.audit_payment p FULL JOIN wallet.audit_payment w USING (payment_id)
WHERE payment_id = ANY ($1::uuid[]) AND (w.payment_id IS NOT NULL OR p.state = 'APPROVED')
