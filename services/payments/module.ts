import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";
import { PaymentsError } from "./errors.js";
import { onChecked } from "./handlers/on_checked.js";
import { onWalletRefunded } from "./handlers/on_wallet_refunded.js";
import { onWalletResponse } from "./handlers/on_wallet_response.js";
import { paymentsPanels } from "./panels.js";
import { PAYMENTS_QUEUES } from "./queues.js";
import { PAYMENTS_RETENTION } from "./retention.js";
import { paymentsRoutes } from "./routes/routes.js";
import { paymentsSettings } from "./settings.js";
import { Sweeper } from "./sweeper.js";

/** From the wish to pay to its end, over events. */
export const payments = defineModule({
  name: "payments",
  service: "payment-service",
  settings: paymentsSettings,
  errors: PaymentsError.table,
  queues: PAYMENTS_QUEUES,
  schemas: ["saga"],
  roles: ["payments_saga"],
  views: [
    "saga.audit_difference",
    "saga.audit_payment",
    "saga.audit_orphan",
    "saga.pending_state",
    "saga.report_payment",
  ],
  retention: PAYMENTS_RETENTION,
  erases: "saga.erase",
  routes: paymentsRoutes,
  panels: paymentsPanels,
  start: (runtime) => {
    const { settings, families } = runtime;
    const { PAYMENTS_CONNECTIONS: connections, PAYMENTS_RESEND_AFTER_S: resendAfterS } = settings;
    const service = serviceProcess(runtime, {
      service: "payment-service",
      schema: "saga",
      queues: PAYMENTS_QUEUES,
      connections,
      partitioned: ["payment", "step"],
      reactions: [
        { event: paymentsChecked, autocommit: true, handle: onChecked },
        { event: walletResponse, autocommit: true, handle: onWalletResponse },
        { event: walletRefunded, autocommit: true, handle: onWalletRefunded },
      ],
    });
    const sweeper = new Sweeper({ ...service, families, resendAfterS, giveUpS: settings.PAYMENTS_GIVE_UP_S });
    return {
      parts: [...service.parts, sweeper],
      routes: paymentsRoutes({ ...service, connections, resendAfterS }),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
