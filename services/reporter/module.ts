import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { ReporterError } from "./errors.js";
import { REPORTER_RETENTION } from "./retention.js";
import { reporterRoutes } from "./routes/routes.js";
import { reporterSettings } from "./settings.js";
import { Windows } from "./windows.js";

/** Opens windows under the name of a service, and reports in each. A process for each name, on a port of its own. */
export const reporter = defineModule({
  name: "reporter",
  service: "reporter",
  settings: reporterSettings,
  errors: ReporterError.table,
  schemas: ["reporter"],
  roles: ["payments_reporter"],
  views: ["reporter.audit_difference", "reporter.audit_window", "reporter.audit_tick", "reporter.state"],
  retention: REPORTER_RETENTION,
  routes: reporterRoutes,
  start: (runtime) => {
    const { settings, workerId } = runtime;
    const { SERVICE_NAME: service, REPORTER_INTERVAL_MS: intervalMs } = settings;
    const { parts, pool, publisher, logger } = serviceProcess(runtime, {
      service: "reporter",
      schema: "reporter",
      queues: [],
      connections: settings.REPORTER_CONNECTIONS,
      reactions: [],
    });
    const windows = new Windows({ pool, publisher, logger, service, process: workerId });
    return {
      parts: [...parts, windows],
      routes: reporterRoutes({ pool, windows, service, intervalMs }),
      poolQueue: () => pool.waitingCount,
    };
  },
});
