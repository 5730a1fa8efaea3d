import { RateLimit } from "../../lib/http/rate_limit.js";
import { type Instruments, register } from "../../lib/observability/registry.js";
import { dependenciesOf } from "../../lib/runtime/lifecycle.js";
import { defineModule, type Runtime } from "../../lib/runtime/module.js";
import { type Service, serviceProcess } from "../../lib/runtime/service_process.js";
import { ingestRetryRequested } from "../contracts/ingest_retry_requested.js";
import { fxCommand } from "./commands/fx.js";
import { lakePollCommand } from "./commands/lake_poll.js";
import { rulesCommand } from "./commands/rules.js";
import { METHODS, STATUS_CATEGORIES, UNPROCESSED_CODES } from "./domain/normalised.js";
import { IngestError } from "./errors.js";
import { forecastRetry, onRetryRequested } from "./handlers/on_retry_requested.js";
import { Intake } from "./intake.js";
import { lakePolling } from "./lake/polling.js";
import { knownNormaliser } from "./learning/known_normaliser.js";
import { learningOf } from "./learning/learning_of.js";
import { ingestMetrics, LAKE_OUTCOMES, RETRY_OUTCOMES, SOURCES } from "./metrics.js";
import { ingestPanels } from "./panels.js";
import { INGEST_QUEUES } from "./queues.js";
import { INGEST_RETENTION } from "./retention.js";
import { retryChore } from "./retries.js";
import { ingestRoutes } from "./routes/routes.js";
import { ingestSettings } from "./settings.js";

/** Any provider's event in, one normalised event out, nothing ever lost. */
export const ingest = defineModule({
  name: "ingest",
  settings: ingestSettings,
  errors: IngestError.table,
  queues: INGEST_QUEUES,
  forecasters: [forecastRetry(knownNormaliser)],
  metrics: ingestMetrics,
  schemas: ["ingest"],
  roles: ["payments_ingest"],
  views: [
    "ingest.audit_difference",
    "ingest.audit_event",
    "ingest.unprocessed_state",
    "ingest.round_share",
    "ingest.console_event",
    "ingest.console_body",
    "ingest.console_payment",
    "ingest.console_former_event",
    "ingest.console_mapping",
  ],
  retention: INGEST_RETENTION,
  commands: [rulesCommand, fxCommand, lakePollCommand],
  routes: ingestRoutes,
  panels: ingestPanels,
  start: (runtime) => {
    const { settings, registry, logger } = runtime;
    const { INGEST_CONNECTIONS: connections, INGEST_RETRY_EVERY_S: retryEveryS } = settings;
    const metrics = countersOf(registry);
    const normaliser = learningOf(settings, { pool: () => service.pool, metrics, logger });
    const lake = lakePolling(runtime, { intake: () => intake, metrics });
    const service: Service = serviceProcess(runtime, {
      service: "ingest-service",
      schema: "ingest",
      queues: INGEST_QUEUES,
      connections,
      partitioned: ["body", "event"],
      chores: (pool) => [
        ...normaliser.chores,
        ...lake.chores,
        retryChore(pool, { normaliser, metrics, outbox: () => service.outbox, everyMs: retryEveryS * 1_000 }),
      ],
      reactions: [
        {
          event: ingestRetryRequested,
          autocommit: true,
          handle: onRetryRequested(() => service.pool, normaliser),
        },
      ],
    });
    const { pool } = service;
    const parts = [...lake.parts, ...service.parts];
    const intake = new Intake({ pool, normaliser, connections, metrics });
    const limitOf = (name: string, quota: number) =>
      quota === 0 ? undefined : new RateLimit({ pool, table: "rate_limit", name, quota, windowS: 60 });
    const limits = {
      requests: limitOf("requests", settings.INGEST_RATE_PER_MINUTE),
      events: limitOf("events", settings.INGEST_EVENTS_PER_MINUTE),
    };
    return {
      parts: [...parts, normaliser.part],
      routes: ingestRoutes({
        pool,
        reads: service.reads,
        learning: normaliser,
        intake,
        limits,
        dependencies: () => dependenciesOf(parts),
        ai: () => normaliser.ai,
      }),
      poolQueue: () => pool.waitingCount,
    };
  },
});

/** Series that alerts compare with what they were: from 0 on. */
function countersOf(registry: Runtime["registry"]): Instruments<typeof ingestMetrics> {
  const metrics = register(registry, ingestMetrics);
  for (const source of SOURCES) {
    for (const status of STATUS_CATEGORIES) {
      for (const method of METHODS) {
        metrics.events.inc({ source, status, method, repeat: "false" }, 0);
      }
    }
  }
  for (const code of UNPROCESSED_CODES) {
    metrics.unprocessed.inc({ code }, 0);
  }
  for (const outcome of RETRY_OUTCOMES) {
    metrics.retried.inc({ outcome }, 0);
  }
  for (const outcome of LAKE_OUTCOMES) {
    metrics.lakeRows.inc({ outcome }, 0);
  }
  return metrics;
}
