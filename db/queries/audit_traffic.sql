-- What generated traffic must have come to, by its answer key, against what payments says. No rows is the proof.
-- $1 the run, traffic.run.traffic_id
-- Result: what, expected, found

WITH key AS (
  SELECT * FROM traffic.audit_payment WHERE traffic_id = $1::bigint
), found AS (
  -- In one place under its customer's reference, if at all; looked at from both sides, so that a second one is seen.
  SELECT customer_id, reference, count(*) AS payments, min(amount) AS amount, min(currency) AS currency,
         min(CASE state WHEN 'PENDING' THEN 'pending' WHEN 'DECLINED' THEN reason ELSE 'approved' END) AS verdict,
         -- What is young may still be on its way.
         bool_or(state = 'PENDING' AND updated_at > now() - ops.audit_grace()) AS in_flight
  FROM saga.audit_payment p
  WHERE reference IN (SELECT reference FROM key)
  GROUP BY customer_id, reference
)
SELECT 'traffic ' || $1::bigint AS what, 'an answer key that is whole' AS expected,
       CASE count(*) WHEN 0 THEN 'no such run' ELSE 'a run that has not ended' END AS found
FROM key
HAVING count(*) = 0 OR bool_or(ended_at IS NULL)
UNION ALL
SELECT 'payment ' || k.reference || ' of ' || k.customer_id,
       CASE k.answer WHEN 'created' THEN 'one payment of ' WHEN 'refused' THEN 'no payment of ' ELSE 'at most one payment of ' END
         || k.amount || ' ' || k.currency || ', ' || k.expected,
       CASE WHEN f.payments IS NULL THEN 'none'
            ELSE f.payments || ' of ' || f.amount || ' ' || f.currency || ', ' || f.verdict END
FROM key k LEFT JOIN found f USING (customer_id, reference)
WHERE k.reference IS NOT NULL
  AND CASE WHEN f.payments IS NULL THEN k.answer = 'created'
           ELSE k.answer = 'refused' OR f.payments > 1 OR (f.amount, f.currency) IS DISTINCT FROM (k.amount, k.currency)
                OR f.verdict IS DISTINCT FROM k.expected AND NOT f.in_flight END
ORDER BY what
