import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { PaymentsError } from "./errors.js";
import { PAYMENTS_QUEUES } from "./queues.js";
import { paymentsRoutes } from "./routes/routes.js";
import { paymentsSettings } from "./settings.js";

/** From the wish to pay to its end, over events. */
export const payments = defineModule({
  name: "payments",
  service: "payment-service",
  settings: paymentsSettings,
  errors: PaymentsError.table,
  queues: PAYMENTS_QUEUES,
  schemas: ["saga"],
  roles: ["payments_saga"],
  views: ["saga.audit_difference", "saga.audit_payment", "saga.audit_orphan"],
  routes: paymentsRoutes,
  start: (runtime) => {
    const { PAYMENTS_CONNECTIONS: connections, PAYMENTS_RESEND_AFTER_S: resendAfterS } = runtime.settings;
    const service = serviceProcess(runtime, {
      service: "payment-service",
      schema: "saga",
      queues: PAYMENTS_QUEUES,
      connections,
      partitioned: ["payment", "step"],
      reactions: [],
    });
    return {
      parts: service.parts,
      routes: paymentsRoutes({ ...service, connections, resendAfterS }),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
