import { join } from "node:path";
import { register } from "../../../lib/observability/registry.js";
import { packageRoot } from "../../../lib/root.js";
import { consumerProcess } from "../../../lib/runtime/consumer_process.js";
import { jsonHandler } from "../../../lib/runtime/json_handler.js";
import { defineModule } from "../../../lib/runtime/module.js";
import { ticketsCommand } from "./commands/tickets.js";
import { DeskError } from "./errors.js";
import { deskMetrics } from "./metrics.js";
import { DESK_QUEUES } from "./queues.js";
import { deskRoutes } from "./routes/routes.js";
import { deskSettings } from "./settings.js";
import { enterTicket, ticket } from "./store/ticket.js";

/** Takes tickets over HTTP and enters them by way of its queue. */
export const desk = defineModule({
  name: "desk",
  settings: deskSettings,
  errors: DeskError.table,
  queues: [DESK_QUEUES],
  metrics: deskMetrics,
  migrations: join(packageRoot, "tests", "module", "desk", "migrations"),
  schemas: ["desk"],
  views: ["desk.audit_ticket"],
  commands: [ticketsCommand],
  routes: deskRoutes,
  start: (runtime) => {
    const { tickets } = register(runtime.registry, deskMetrics);
    const { parts, pool, publisher } = consumerProcess(runtime, {
      title: "desk-service",
      queues: DESK_QUEUES,
      concurrency: runtime.settings.DESK_CONCURRENCY,
      handler: (resources) =>
        jsonHandler(ticket, async (message) => {
          if (await enterTicket(resources.pool, message)) {
            tickets.inc({ priority: message.priority });
          }
        }),
    });
    return { parts, routes: deskRoutes({ pool, publisher }), poolQueue: () => pool.waitingCount };
  },
});
