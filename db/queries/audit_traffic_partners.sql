-- What partners told in generated traffic must have come to, by its answer key, against what the collector knows of it. No rows is
-- the proof. That it is what campaigns and payouts know too is compared elsewhere.
-- $1 the run, traffic.run.traffic_id
-- Result: what, expected, found

WITH key AS (
  SELECT * FROM traffic.audit_partner_event WHERE traffic_id = $1::bigint
), found AS (
  SELECT k.source, k.event_id, k.type, k.campaign_id, k.id_afiliado, k.referencia_pago, k.moneda, k.spend, k.payout,
         k.expected, k.answer, k.budget, k.currency, e.id,
         (e.type, e.campaign_id, e.id_afiliado, e.referencia_pago, e.moneda, e.spend, e.payout)
           IS NOT DISTINCT FROM (k.type, k.campaign_id::text, k.id_afiliado, k.referencia_pago, k.moneda, k.spend, k.payout) AS same,
         e.campaigns_outcome AS decided,
         e.payouts_outcome AS paid, coalesce(e.payouts_outcome IN ('completed', 'failed', 'returned'), false) AS settled,
         -- What is young may still be on its way.
         greatest(e.received_at, e.campaigns_at, e.payouts_at) > now() - ops.audit_grace() AS in_flight
  FROM key k LEFT JOIN collector.audit_event e USING (source, event_id)
)
SELECT 'event ' || source || '/' || event_id AS what,
       CASE answer WHEN 'created' THEN 'one event' WHEN 'refused' THEN 'no event' ELSE 'at most one event' END || ' as it was told' AS expected,
       CASE WHEN id IS NULL THEN 'none' WHEN same THEN 'one' ELSE 'another one' END AS found
FROM found
WHERE CASE WHEN id IS NULL THEN answer = 'created' ELSE answer = 'refused' OR NOT same END
UNION ALL
SELECT 'event ' || source || '/' || event_id, expected, coalesce(decided, 'no decision') || ', ' || coalesce(paid, 'no payout')
FROM found
WHERE id IS NOT NULL AND NOT in_flight
  AND CASE expected
        WHEN 'paid' THEN NOT settled
        WHEN 'spent' THEN decided IS DISTINCT FROM 'spent' OR NOT settled
        WHEN 'spent or over_budget' THEN CASE decided WHEN 'spent' THEN NOT settled WHEN 'over_budget' THEN paid <> 'over_budget' ELSE true END
        WHEN 'not_active' THEN decided IS DISTINCT FROM expected OR paid IS DISTINCT FROM expected
        WHEN 'wrong_currency' THEN decided IS DISTINCT FROM expected OR paid IS DISTINCT FROM expected
        ELSE false END
UNION ALL
-- To the cent: no campaign has spent more than its budget, nor refused what it could have spent.
SELECT 'campaign ' || campaign_id,
       CASE WHEN spent > budget THEN 'at most ' || budget ELSE 'over ' || budget || ' with the least that was refused' END || ' ' || currency || ' spent',
       spent || ' ' || currency
FROM (
  SELECT campaign_id, budget, currency, bool_or(in_flight) AS in_flight,
         coalesce(sum(spend) FILTER (WHERE decided = 'spent'), 0) AS spent,
         min(spend) FILTER (WHERE decided = 'over_budget') AS least_refused
  FROM found
  WHERE type = 'conversion'
  GROUP BY campaign_id, budget, currency
) campaign
WHERE spent > budget OR NOT in_flight AND spent + least_refused <= budget
UNION ALL
SELECT 'payout ' || referencia_pago || ' of ' || id_afiliado, 'one of ' || f.payout || ' ' || f.moneda,
       coalesce(p.amount || ' ' || p.moneda, 'none')
FROM (SELECT * FROM found WHERE id IS NOT NULL AND (type = 'payment' OR decided = 'spent')) f
LEFT JOIN collector.audit_payout p USING (id_afiliado, referencia_pago)
WHERE (p.amount, p.moneda) IS DISTINCT FROM (f.payout, f.moneda)
ORDER BY what
