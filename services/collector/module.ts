import { CoreError } from "../../lib/core_errors.js";
import { isLoopback } from "../../lib/http/edge.js";
import { RateLimit } from "../../lib/http/rate_limit.js";
import { register } from "../../lib/observability/registry.js";
import { defineModule } from "../../lib/runtime/module.js";
import { serviceProcess } from "../../lib/runtime/service_process.js";
import { readWebhookKeys } from "../../lib/webhook/source_keys.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import { CollectorError } from "./errors.js";
import { forecastPago, onPago } from "./handlers/on_pago.js";
import { forecastSpendDecided, onSpendDecided } from "./handlers/on_spend_decided.js";
import { Intake } from "./intake.js";
import { collectorMetrics } from "./metrics.js";
import { collectorPanels } from "./panels.js";
import { COLLECTOR_QUEUES, PAGO_OUTCOMES } from "./queues.js";
import { COLLECTOR_RETENTION } from "./retention.js";
import { collectorRoutes } from "./routes/routes.js";
import { type CollectorSettings, collectorSettings } from "./settings.js";
import { oldSignedRequests } from "./store/signed_request.js";
import { deliverySweeper } from "./sweeper.js";

/** What partners saw and ask for, taken in once and told to whom it concerns. */
export const collector = defineModule({
  name: "collector",
  settings: collectorSettings,
  errors: CollectorError.table,
  queues: COLLECTOR_QUEUES,
  metrics: collectorMetrics,
  schemas: ["collector"],
  roles: ["payments_collector"],
  views: [
    "collector.audit_difference",
    "collector.audit_event",
    "collector.audit_payout",
    "collector.open_delivery",
  ],
  retention: COLLECTOR_RETENTION,
  erases: "collector.erase",
  forecasters: [
    { event: campaignsSpendDecided, forecast: forecastSpendDecided },
    ...PAGO_OUTCOMES.map(([event, outcome]) => ({ event, forecast: forecastPago(outcome) })),
  ],
  routes: collectorRoutes,
  panels: collectorPanels,
  start: (runtime) => {
    const { settings, registry, families } = runtime;
    const { COLLECTOR_CONNECTIONS: connections, COLLECTOR_EVENTS_PER_MINUTE: quota } = settings;
    const { COLLECTOR_RESEND_AFTER_S: resendAfterS } = settings;
    const keys = readKeys(settings);
    const service = serviceProcess(runtime, {
      service: "collector-service",
      schema: "collector",
      queues: COLLECTOR_QUEUES,
      connections,
      partitioned: ["event", "delivery"],
      chores: (pool) => [oldSignedRequests(pool)],
      reactions: [
        {
          event: campaignsSpendDecided,
          autocommit: true,
          handle: (db, events) => onSpendDecided(db, events, { outbox: service.outbox, resendAfterS }),
        },
        ...PAGO_OUTCOMES.map(([event, outcome]) => ({
          event,
          autocommit: true,
          handle: onPago(event.name, outcome),
        })),
      ],
    });
    const { pool, outbox } = service;
    const parts = [...service.parts, deliverySweeper({ ...service, families, resendAfterS })];
    const limit =
      quota === 0
        ? undefined
        : new RateLimit({ pool, table: "rate_limit", name: "events", quota, windowS: 60 });
    const { events, refusals } = register(registry, collectorMetrics);
    const intake = new Intake({ pool, outbox, connections, resendAfterS });
    return {
      parts,
      routes: collectorRoutes({ pool, parts, intake, keys, limit, events, refusals }),
      poolQueue: () => pool.waitingCount,
    };
  },
});

/** @throws CoreError SETTINGS_INVALID also when others than this machine can tell events and nobody would have to sign */
function readKeys({ COLLECTOR_SECRETS, HTTP_HOST }: CollectorSettings & { readonly HTTP_HOST: string }) {
  const keys = readWebhookKeys("COLLECTOR_SECRETS", COLLECTOR_SECRETS);
  if (keys === undefined && !isLoopback(HTTP_HOST)) {
    throw new CoreError(
      "SETTINGS_INVALID",
      `COLLECTOR_SECRETS: HTTP_HOST ${HTTP_HOST} is not loopback, and no partner has a secret.`,
      { hint: "Set COLLECTOR_SECRETS or COLLECTOR_SECRETS_FILE, or HTTP_HOST to 127.0.0.1." },
    );
  }
  return keys;
}
