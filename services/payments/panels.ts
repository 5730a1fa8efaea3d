import { CURRENCY_CODES, minorDigitsOf } from "../../lib/domain/money.js";
import { graph, stat, table } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { PAYMENTS_QUEUES } from "./queues.js";

/** Of the time that is shown; by the id, which finds the partitions and needs no index of its own. */
const SHOWN =
  "FROM saga.report_payment WHERE payment_id BETWEEN ops.uuid_floor($__timeFrom()) AND ops.uuid_floor($__timeTo())";

/** A currency's minor units in its own. */
const OWN_UNITS = `10 ^ CASE ${[0, 3, 4]
  .map((digits) => `WHEN currency IN (${codesOf(digits)}) THEN ${digits}`)
  .join(" ")} ELSE 2 END`;

function codesOf(digits: number): string {
  return CURRENCY_CODES.filter((code) => minorDigitsOf(code) === digits)
    .map((code) => `'${code}'`)
    .join(", ");
}

const MONEY = `(sum(amount - refunded) / (${OWN_UNITS}))::float8`;
const TAKEN = "AND state IN ('APPROVED', 'PARTIALLY_REFUNDED', 'REFUNDED')";

export const paymentsPanels = () =>
  servicePanels({
    service: "payment-service",
    http: true,
    queues: PAYMENTS_QUEUES,
    schema: "saga",
    business: [
      stat(
        "Payments pending",
        "short",
        "That nobody has decided yet; a healthy saga takes milliseconds.",
        "max(payments_pending_payments)",
        { width: 6 },
      ),
      stat(
        "Oldest pending payment",
        "s",
        "Asked about again after a minute, given up after 15. Above 5 minutes: see PaymentsStuck.",
        "max(payments_pending_oldest_age_seconds)",
        { width: 6, thresholds: [60, 300] },
      ),
      graph(
        "Webhooks",
        "short",
        "Attempts a minute by what came of them, and those that wait. None taken for an hour: see WebhooksStuck.",
        {
          "{{result}}":
            'sum by (result) (rate(payments_webhook_attempts_total{service="payment-service"}[$__rate_interval])) * 60',
          waiting: 'sum(payments_webhook_pending{schema="saga"})',
        },
      ),
      graph(
        "Money a minute by currency",
        "short",
        "Taken less what went back, each currency in its own units, by when the payment was made.",
        `SELECT date_trunc('minute', created_at) AS time, currency AS metric, ${MONEY} AS value ${SHOWN} ${TAKEN} GROUP BY 1, 2, currency ORDER BY 1, 2`,
        { source: "postgres" },
      ),
      table(
        "Payments by state and reason",
        "short",
        "Of those made in the time that is shown.",
        `SELECT state, coalesce(reason, '') AS reason, count(*)::float8 AS payments ${SHOWN} GROUP BY 1, 2 ORDER BY 3 DESC`,
        { source: "postgres" },
      ),
    ],
  });
