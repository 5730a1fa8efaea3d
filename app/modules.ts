import { etl } from "../etl/module.js";
import { jobs } from "../jobs/module.js";
import type { Module } from "../lib/runtime/module.js";
import { collector } from "../services/collector/module.js";
import { fraud } from "../services/fraud/module.js";
import { metrics } from "../services/metrics/module.js";
import { payments } from "../services/payments/module.js";
import { platform } from "../services/platform.js";
import { wallet } from "../services/wallet/module.js";
import { traffic } from "../traffic/module.js";

/** Every module of the platform. A new one is a folder and a line here. */
export const MODULES: readonly Module[] = [
  etl,
  jobs,
  platform,
  payments,
  fraud,
  wallet,
  metrics,
  collector,
  traffic,
];
