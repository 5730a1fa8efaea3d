-- What the console shows of campaigns.

CREATE VIEW campaigns.console_campaign AS
SELECT campaign_id, name, state, currency, budget, spend, impressions, clicks, conversions, starts_at, ends_at, created_at, updated_at
FROM campaigns.campaign;
COMMENT ON VIEW campaigns.console_campaign IS 'Campaigns as they stand; amounts in minor units';

CREATE VIEW campaigns.console_change AS
SELECT campaign_id, version, state, budget, trace_id, changed_at FROM campaigns.change;
COMMENT ON VIEW campaigns.console_change IS 'What became of campaigns'' states and budgets; amounts in minor units';

GRANT USAGE ON SCHEMA campaigns TO payments_console;
GRANT SELECT ON campaigns.console_campaign, campaigns.console_change TO payments_console;
