-- Payments of a customer about which the wallet has not said its last word: given up, and it has no decision under the customer's name;
-- or it debited what is to go back whole (the payment was declined, or nobody knows it), and not all of it went back. What asks for
-- that lies in the broker, under the name that the customer has there.
-- $1 customer
-- Result: payment_id

SELECT payment_id
FROM saga.audit_payment p
LEFT JOIN wallet.audit_payment w USING (payment_id)
WHERE p.customer_id = $1 AND p.state = 'DECLINED'
  AND (p.reason = 'timed_out' AND w.user_id IS DISTINCT FROM p.customer_id OR w.outcome = 'approved' AND w.refunded < w.amount)
UNION ALL
SELECT payment_id
FROM wallet.audit_payment w
LEFT JOIN saga.audit_payment p USING (payment_id)
WHERE w.user_id = $1 AND w.outcome = 'approved' AND w.refunded < w.amount AND p.payment_id IS NULL
