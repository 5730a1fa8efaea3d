import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletsCommand } from "./commands/wallets.js";
import { WalletError } from "./errors.js";
import { forecastDebits, onDebitRequested } from "./handlers/on_debit_requested.js";
import { forecastRefunds, onRefundRequested } from "./handlers/on_refund_requested.js";
import { walletPanels } from "./panels.js";
import { WALLET_QUEUES } from "./queues.js";
import { WALLET_RETENTION } from "./retention.js";
import { walletRoutes } from "./routes/routes.js";
import { walletSettings } from "./settings.js";

/** Who has how much. Knows nothing of a payment but its id. */
export const wallet = defineModule({
  name: "wallet",
  settings: walletSettings,
  errors: WalletError.table,
  queues: WALLET_QUEUES,
  schemas: ["wallet"],
  roles: ["payments_wallet"],
  views: [
    "wallet.audit_difference",
    "wallet.audit_payment",
    "wallet.console_wallet",
    "wallet.console_movement",
    "wallet.console_decision",
  ],
  retention: WALLET_RETENTION,
  erases: "wallet.erase",
  forecasters: [
    { event: walletDebitRequested, forecast: forecastDebits },
    { event: walletRefundRequested, forecast: forecastRefunds },
  ],
  commands: [walletsCommand],
  routes: walletRoutes,
  panels: walletPanels,
  start: (runtime) => {
    const service = serviceProcess(runtime, {
      service: "wallet-service",
      schema: "wallet",
      queues: WALLET_QUEUES,
      connections: runtime.settings.WALLET_CONNECTIONS,
      partitioned: ["movement", "decision"],
      reactions: [
        { event: walletDebitRequested, handle: onDebitRequested },
        { event: walletRefundRequested, handle: onRefundRequested },
      ],
    });
    return {
      parts: service.parts,
      routes: walletRoutes(service),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
