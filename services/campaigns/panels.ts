import { graph, table } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { CAMPAIGNS_QUEUES } from "./queues.js";

export const campaignsPanels = () =>
  servicePanels({
    service: "campaign-service",
    http: true,
    queues: CAMPAIGNS_QUEUES,
    schema: "campaigns",
    business: [
      graph(
        "Conversions decided a second",
        "ops",
        "By outcome: only what was spent counts as a conversion. Much over_budget: campaigns that nobody ended.",
        { "{{outcome}}": "sum by (outcome) (rate(campaigns_spends_total[$__rate_interval]))" },
      ),
      graph(
        "Campaigns behind",
        "s",
        "Since when counts wait to be announced, and a campaign that is over to be completed: half a second. Above a minute: see CampaignsBehind.",
        {
          announced: "max(payments_campaigns_oldest_unannounced_age_seconds)",
          completed: "max(payments_campaigns_oldest_overdue_age_seconds)",
        },
      ),
      table(
        "Campaigns by state",
        "short",
        "All that there are, and what was seen of them.",
        "SELECT state, count(*)::float8 AS campaigns, sum(impressions)::float8 AS impressions, sum(clicks)::float8 AS clicks, sum(conversions)::float8 AS conversions FROM campaigns.report_campaign GROUP BY state ORDER BY 2 DESC",
        { source: "postgres" },
      ),
    ],
  });
