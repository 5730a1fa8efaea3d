import { register } from "../../lib/observability/registry.js";
import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import {
  collectorEvtClick,
  collectorEvtConversion,
  collectorEvtImpression,
} from "../contracts/collector_evt.js";
import { Announcer } from "./announcer.js";
import { OUTCOMES } from "./domain/spend.js";
import { CampaignsError } from "./errors.js";
import { forecastConversions, onConversion } from "./handlers/on_conversion.js";
import { forecastSeen, onSeen } from "./handlers/on_seen.js";
import { campaignsMetrics } from "./metrics.js";
import { campaignsPanels } from "./panels.js";
import { CAMPAIGNS_QUEUES } from "./queues.js";
import { CAMPAIGNS_RETENTION } from "./retention.js";
import { campaignsRoutes } from "./routes/routes.js";
import { campaignsSettings } from "./settings.js";

/** Campaigns with their budgets, what was spent of them, and what was seen. */
export const campaigns = defineModule({
  name: "campaigns",
  service: "campaign-service",
  settings: campaignsSettings,
  errors: CampaignsError.table,
  queues: CAMPAIGNS_QUEUES,
  metrics: campaignsMetrics,
  schemas: ["campaigns"],
  roles: ["payments_campaigns"],
  views: [
    "campaigns.audit_campaign",
    "campaigns.audit_difference",
    "campaigns.audit_spend",
    "campaigns.lag",
    "campaigns.report_campaign",
    "campaigns.report_spend",
    "campaigns.console_campaign",
    "campaigns.console_change",
  ],
  retention: CAMPAIGNS_RETENTION,
  forecasters: [
    { event: collectorEvtClick, forecast: forecastSeen },
    { event: collectorEvtImpression, forecast: forecastSeen },
    { event: collectorEvtConversion, forecast: forecastConversions },
  ],
  routes: campaignsRoutes,
  panels: campaignsPanels,
  start: (runtime) => {
    const { spends } = register(runtime.registry, campaignsMetrics);
    for (const outcome of OUTCOMES) {
      spends.inc({ outcome }, 0);
    }
    const service = serviceProcess(runtime, {
      service: "campaign-service",
      schema: "campaigns",
      queues: CAMPAIGNS_QUEUES,
      connections: runtime.settings.CAMPAIGNS_CONNECTIONS,
      reactions: [
        { event: collectorEvtClick, handle: onSeen("click") },
        { event: collectorEvtImpression, handle: onSeen("impression") },
        { event: collectorEvtConversion, handle: onConversion((outcome) => spends.inc({ outcome })) },
      ],
    });
    return {
      parts: [...service.parts, new Announcer(service)],
      routes: campaignsRoutes(service),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
