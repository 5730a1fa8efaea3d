import { etl } from "../etl/module.js";
import { jobs } from "../jobs/module.js";
import type { Module } from "../lib/runtime/module.js";
import { campaigns } from "../services/campaigns/module.js";
import { collector } from "../services/collector/module.js";
import { consoleModule } from "../services/console/module.js";
import { fraud } from "../services/fraud/module.js";
import { gatewaySimulator } from "../services/gateway_simulator/module.js";
import { ingest } from "../services/ingest/module.js";
import { metrics } from "../services/metrics/module.js";
import { monitor } from "../services/monitor/module.js";
import { monitorQueue } from "../services/monitor_queue/module.js";
import { payments } from "../services/payments/module.js";
import { payouts } from "../services/payouts/module.js";
import { platform } from "../services/platform.js";
import { reporter } from "../services/reporter/module.js";
import { reports } from "../services/reports/module.js";
import { wallet } from "../services/wallet/module.js";
import { traffic } from "../traffic/module.js";
import { consoleActions } from "./console/platform_actions.js";

/** Every module of the platform. A new one is a folder and a line here. */
export const MODULES: readonly Module[] = [
  etl,
  jobs,
  platform,
  payments,
  fraud,
  wallet,
  metrics,
  payouts,
  gatewaySimulator,
  campaigns,
  reports,
  collector,
  monitor,
  monitorQueue,
  reporter,
  ingest,
  consoleModule({ modules: () => MODULES, actionsOf: (runtime) => consoleActions(runtime, MODULES) }),
  traffic,
];
