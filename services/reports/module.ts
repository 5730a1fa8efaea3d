import type { Pool } from "pg";
import { register } from "../../lib/observability/registry.js";
import type { Chore } from "../../lib/runtime/housekeeping.js";
import { dependenciesOf } from "../../lib/runtime/lifecycle.js";
import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { reportsCommand } from "./commands/reports.js";
import { TOLD } from "./domain/fact.js";
import { ReportsError } from "./errors.js";
import { forecastEvent, onEvent } from "./handlers/on_event.js";
import { reportsMetrics } from "./metrics.js";
import { reportsPanels } from "./panels.js";
import { REPORTS_QUEUES } from "./queues.js";
import { REPORTS_RETENTION } from "./retention.js";
import { reportsRoutes } from "./routes/routes.js";
import { pinOf, reportsSettings } from "./settings.js";
import { dropSome } from "./store/generation.js";
import { Waiting } from "./waiting.js";

/** No statement of ours takes so long, so nobody reads a generation that was retired before. */
const RETIRED_FOR_S = 600;
const ROWS_A_STATEMENT = 5_000;
const DROP_EVERY_MS = 600_000;

/** What became of payouts and campaigns, in sums. */
export const reports = defineModule({
  name: "reports",
  service: "report-service",
  settings: reportsSettings,
  errors: ReportsError.table,
  queues: REPORTS_QUEUES,
  metrics: reportsMetrics,
  schemas: ["reports"],
  roles: ["payments_reports"],
  views: [
    "reports.audit_campaign",
    "reports.audit_difference",
    "reports.audit_head",
    "reports.audit_payout",
    "reports.state",
    "reports.report_day",
    "reports.served",
    "reports.console_generation",
    "reports.console_switch",
  ],
  retention: REPORTS_RETENTION,
  erases: "reports.erase",
  forecasters: TOLD.map((told) => ({ event: told.event, forecast: forecastEvent(told) })),
  commands: [reportsCommand],
  routes: reportsRoutes,
  panels: reportsPanels,
  start: (runtime) => {
    const { settings, registry } = runtime;
    const service = serviceProcess(runtime, {
      service: "report-service",
      schema: "reports",
      queues: REPORTS_QUEUES,
      connections: settings.REPORTS_CONNECTIONS,
      partitioned: ["event"],
      chores: (pool) => [retiredGenerations(pool)],
      reactions: TOLD.map((told) => ({ event: told.event, handle: onEvent(told) })),
    });
    const { pool, publisher } = service;
    const waiting = new Waiting(publisher, register(registry, reportsMetrics));
    return {
      parts: [...service.parts, waiting],
      routes: reportsRoutes({
        pool,
        waiting,
        pin: pinOf(settings),
        dependencies: () => dependenciesOf(service.parts),
      }),
      poolQueue: () => pool.waitingCount,
    };
  },
});

const retiredGenerations = (pool: Pool): Chore => ({
  name: "retired generations",
  everyMs: DROP_EVERY_MS,
  run: async () => {
    while (await dropSome(pool, { retiredForS: RETIRED_FOR_S, rows: ROWS_A_STATEMENT })) {
      // More is left.
    }
  },
});
