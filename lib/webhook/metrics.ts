import { counter } from "../observability/registry.js";

/** What processes tell of webhooks; what waits is asked of PostgreSQL. */
export const webhookMetrics = {
  webhookAttempts: counter(
    "payments_webhook_attempts_total",
    "Attempts to deliver a webhook, by what came of them: delivered, failed (another one follows), given_up or gone (410: all are stopped)",
    "service",
    "result",
  ),
};
