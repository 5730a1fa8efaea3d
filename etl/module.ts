import { defineModule } from "../lib/runtime/module.js";
import { auditLeakCommand } from "./commands/audit_leak.js";
import { cancelCommand } from "./commands/cancel.js";
import { healCommand } from "./commands/heal.js";
import { kickoffCommand } from "./commands/kickoff.js";
import { profileCommand } from "./commands/profile.js";
import { resumeCommand } from "./commands/resume.js";
import { seedCommand } from "./commands/seed.js";
import { statusCommand } from "./commands/status.js";
import { verifyCommand } from "./commands/verify.js";
import { EtlError } from "./errors.js";
import { etlMetrics } from "./metrics.js";
import { workerParts } from "./process.js";
import { ETL_QUEUES } from "./queues.js";
import { etlSettings } from "./settings.js";

/** The pipeline: generates, cleans and aggregates transactions, and proves them. */
export const etl = defineModule({
  name: "etl",
  service: "payments-worker",
  settings: etlSettings,
  errors: EtlError.table,
  queues: [ETL_QUEUES],
  metrics: etlMetrics,
  schemas: ["payments", "staging", "etl"],
  roles: ["payments_loader", "payments_reader", "payments_exporter"],
  views: [
    "etl.console_run",
    "etl.console_run_month",
    "etl.console_failure",
    "etl.console_worker",
    "etl.console_month",
    "payments.console_network_hour",
    "payments.console_merchant_day",
  ],
  commands: [
    seedCommand,
    kickoffCommand,
    statusCommand,
    verifyCommand,
    resumeCommand,
    cancelCommand,
    healCommand,
    auditLeakCommand,
    profileCommand,
  ],
  start: (runtime) => {
    const { WORKER_METRICS_HOST: host, WORKER_METRICS_PORT: port } = runtime.settings;
    return { parts: workerParts(runtime), operationsAt: { host, port } };
  },
});
