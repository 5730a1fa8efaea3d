import { register } from "../../lib/observability/registry.js";
import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { webhookChore } from "../../lib/webhook/keeping.js";
import { Webhooks } from "../../lib/webhook/webhooks.js";
import { MonitorError } from "./errors.js";
import { monitorMetrics } from "./metrics.js";
import { monitorPanels } from "./panels.js";
import { MONITOR_RETENTION } from "./retention.js";
import { monitorRoutes } from "./routes/routes.js";
import { monitorSettings, webhookTarget } from "./settings.js";
import { Sweeper } from "./sweeper.js";

/** Webhooks that a process sends at a time; alerts are few. */
const WEBHOOKS_AT_ONCE = 4;

/** Notices silence: which reports of which windows did not come. */
export const monitor = defineModule({
  name: "monitor",
  service: "monitor-service",
  settings: monitorSettings,
  errors: MonitorError.table,
  metrics: monitorMetrics,
  schemas: ["monitor"],
  roles: ["payments_monitor"],
  views: [
    "monitor.audit_difference",
    "monitor.audit_window",
    "monitor.audit_report",
    "monitor.audit_held",
    "monitor.state",
    "monitor.service_state",
  ],
  retention: MONITOR_RETENTION,
  routes: monitorRoutes,
  panels: monitorPanels,
  start: (runtime) => {
    const { settings, registry, messages } = runtime;
    const { MONITOR_CONNECTIONS: connections } = settings;
    const target = webhookTarget(settings);
    const metrics = register(registry, monitorMetrics);
    const webhook = target !== undefined;
    const service = serviceProcess(runtime, {
      service: "monitor-service",
      schema: "monitor",
      queues: [],
      connections,
      chores: (pool) => [webhookChore(pool, "monitor", settings.MONITOR_WEBHOOK_KEEP_S)],
      reactions: [],
    });
    const sweeper = new Sweeper({
      ...service,
      webhook,
      everyMs: settings.MONITOR_SWEEP_EVERY_MS,
      settleMs: settings.MONITOR_SETTLE_MS,
      unknownAfterS: settings.MONITOR_UNKNOWN_AFTER_S,
    });
    const webhooks = target && [
      new Webhooks({
        ...service,
        schema: "monitor",
        service: "monitor-service",
        metrics: messages,
        target,
        concurrency: WEBHOOKS_AT_ONCE,
        present: (data) => data as object,
      }),
    ];
    return {
      parts: [...service.parts, sweeper, ...(webhooks ?? [])],
      routes: monitorRoutes({
        ...service,
        sweeper,
        groups: connections - 1,
        webhook,
        graceMs: settings.MONITOR_GRACE_MS,
        count: (outcome) => metrics.reports.inc({ outcome }),
      }),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
