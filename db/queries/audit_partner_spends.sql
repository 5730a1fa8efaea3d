-- Conversions by the collector against what campaigns decided about them, to the cent. What changed within the grace of the audit is in
-- flight, and so is a conversion without a decision, unless nothing may be.
-- Result: what, expected, found

SELECT 'conversion ' || coalesce(c.source, s.source) || '/' || coalesce(c.event_id, s.event_id) AS what,
       coalesce(coalesce(c.campaigns_outcome, 'undecided') || ', ' || c.spend || ' ' || c.moneda || ' of ' || c.campaign_id, 'no conversion') AS expected,
       coalesce(s.outcome || ', ' || s.amount || ' ' || s.currency || ' of ' || s.campaign_id, 'no decision') AS found
FROM (SELECT * FROM collector.audit_event WHERE type = 'conversion') c
FULL JOIN campaigns.audit_spend s USING (source, event_id)
WHERE greatest(c.received_at, c.campaigns_at, s.decided_at) <= now() - ops.audit_grace()
  AND (c.id IS NULL OR s.outcome IS DISTINCT FROM c.campaigns_outcome OR s.outcome IS NULL AND ops.audit_grace() = interval '0'
       OR s.amount <> c.spend OR s.currency <> c.moneda OR s.campaign_id <> c.campaign_id::uuid)
ORDER BY what
