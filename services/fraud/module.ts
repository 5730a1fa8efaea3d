import { register } from "../../lib/observability/registry.js";
import { eventProcess } from "../../lib/runtime/event_process.js";
import { defineModule } from "../../lib/runtime/module.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { Velocity } from "./domain/velocity.js";
import { forecastCreated, onPaymentCreated } from "./handlers/on_payment_created.js";
import { fraudMetrics } from "./metrics.js";
import { fraudPanels } from "./panels.js";
import { FRAUD_QUEUES } from "./queues.js";
import { fraudSettings } from "./settings.js";

/** Whether a payment looks like fraud. Touches no payment, keeps nothing. */
export const fraud = defineModule({
  name: "fraud",
  settings: fraudSettings,
  queues: FRAUD_QUEUES,
  forecasters: [{ event: paymentsCreated, forecast: forecastCreated }],
  metrics: fraudMetrics,
  panels: fraudPanels,
  start: (runtime) => {
    const { FRAUD_BLOCKED_CUSTOMERS: blocked, FRAUD_VELOCITY_PER_MINUTE: perMinute } = runtime.settings;
    const { verdicts } = register(runtime.registry, fraudMetrics);
    for (const status of ["APPROVED", "DECLINED"]) {
      verdicts.inc({ status }, 0);
    }
    const checking = {
      blocked: new Set(blocked.split(",").map((customer) => customer.trim())),
      velocity: new Velocity(perMinute),
      observe: ({ status }: { status: string }) => verdicts.inc({ status }),
    };
    const { publishing, consumers } = eventProcess(runtime, {
      service: "fraud-service",
      queues: FRAUD_QUEUES,
      reactions: [{ event: paymentsCreated, handle: (events) => onPaymentCreated(checking, events) }],
    });
    return { parts: [publishing, ...consumers] };
  },
});
