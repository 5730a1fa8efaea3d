import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { webhookChore } from "../../lib/webhook/keeping.js";
import { Webhooks } from "../../lib/webhook/webhooks.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";
import { webhooksCommand } from "./commands/webhooks.js";
import { PaymentsError } from "./errors.js";
import { forecastChecked, onChecked } from "./handlers/on_checked.js";
import { forecastWalletRefunded, onWalletRefunded } from "./handlers/on_wallet_refunded.js";
import { forecastWalletResponse, onWalletResponse } from "./handlers/on_wallet_response.js";
import { paymentsPanels } from "./panels.js";
import { PAYMENTS_QUEUES } from "./queues.js";
import { PAYMENTS_RETENTION } from "./retention.js";
import { paymentsRoutes } from "./routes/routes.js";
import { paymentsSettings, webhookTarget } from "./settings.js";
import { paymentSweeper } from "./sweeper.js";
import { presentPayment } from "./webhook.js";

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
    "saga.console_payment",
    "saga.console_step",
  ],
  retention: PAYMENTS_RETENTION,
  erases: "saga.erase",
  forecasters: [
    { event: paymentsChecked, forecast: forecastChecked },
    { event: walletResponse, forecast: forecastWalletResponse },
    { event: walletRefunded, forecast: forecastWalletRefunded },
  ],
  commands: [webhooksCommand],
  routes: paymentsRoutes,
  panels: paymentsPanels,
  start: (runtime) => {
    const { settings, families } = runtime;
    const { PAYMENTS_CONNECTIONS: connections, PAYMENTS_RESEND_AFTER_S: resendAfterS } = settings;
    const { PAYMENTS_GIVE_UP_S: giveUpS, PAYMENTS_WEBHOOK_KEEP_S: keepS } = settings;
    const target = webhookTarget(settings);
    const telling = { webhook: target !== undefined };
    const service = serviceProcess(runtime, {
      service: "payment-service",
      schema: "saga",
      queues: PAYMENTS_QUEUES,
      connections,
      partitioned: ["payment", "step"],
      chores: (pool) => [webhookChore(pool, "saga", keepS)],
      reactions: [
        { event: paymentsChecked, autocommit: true, handle: (db, events) => onChecked(db, events, telling) },
        {
          event: walletResponse,
          autocommit: true,
          handle: (db, events) => onWalletResponse(db, events, telling),
        },
        {
          event: walletRefunded,
          autocommit: true,
          handle: (db, events) => onWalletRefunded(db, events, telling),
        },
      ],
    });
    const sweeper = paymentSweeper({ ...service, ...telling, families, resendAfterS, giveUpS });
    const webhooks = target && [
      new Webhooks({
        ...service,
        schema: "saga",
        service: "payment-service",
        metrics: runtime.messages,
        target,
        concurrency: settings.PAYMENTS_WEBHOOK_CONCURRENCY,
        present: presentPayment,
      }),
    ];
    return {
      parts: [...service.parts, sweeper, ...(webhooks ?? [])],
      routes: paymentsRoutes({ ...service, connections, resendAfterS }),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
