-- Campaigns as reports serves them against campaigns. What changed within the grace of the audit, or after the newest event that reports has,
-- is on its way; counts that are not announced yet are, too.
-- Result: what, expected, found

WITH said AS (
  SELECT c.campaign_id, c.updated_at, c.state, c.budget || ' ' || c.currency AS budget, c.unannounced_since IS NULL AS announced,
         concat_ws(' ', 'spent', c.spend, 'seen', c.impressions, 'clicked', c.clicks, 'converted', c.conversions) AS counts
  FROM campaigns.audit_campaign c
), served AS (
  SELECT c.campaign_id, c.state, c.budget || ' ' || c.currency AS budget,
         concat_ws(' ', 'spent', c.spend, 'seen', c.impressions, 'clicked', c.clicks, 'converted', c.conversions) AS counts
  FROM reports.audit_campaign c
)
SELECT 'campaign ' || campaign_id AS what,
       coalesce(concat_ws(', ', c.state, c.budget, CASE WHEN c.announced THEN c.counts END), 'no campaign') AS expected,
       coalesce(nullif(concat_ws(', ', r.state, r.budget, r.counts), ''), 'nothing') AS found
FROM said c
FULL JOIN served r USING (campaign_id)
CROSS JOIN reports.audit_head h
WHERE (c.updated_at IS NULL OR c.updated_at <= now() - ops.audit_grace() AND c.updated_at <= h.applied_at)
  AND ((c.state, c.budget) IS DISTINCT FROM (r.state, r.budget) OR c.announced AND c.counts IS DISTINCT FROM r.counts)
ORDER BY what
