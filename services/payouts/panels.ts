import { graph, stat, table } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { PAYOUTS_QUEUES } from "./queues.js";

/** Of the time that is shown; by the id, which finds the partitions and needs no index of its own. */
const SHOWN =
  "FROM payouts.report_pago WHERE id_pago BETWEEN ops.uuid_floor($__timeFrom()) AND ops.uuid_floor($__timeTo())";

export const payoutsPanels = () =>
  servicePanels({
    service: "payout-service",
    http: true,
    queues: PAYOUTS_QUEUES,
    schema: "payouts",
    business: [
      stat(
        "Pagos to be sent",
        "short",
        "PENDIENTE: accepted, and not sent to the gateway yet.",
        'max(payments_payouts_pagos{estado="PENDIENTE"})',
        { width: 8 },
      ),
      stat(
        "Oldest Pago that the gateway has not taken",
        "s",
        "Above 15 minutes: see PayoutsStuck.",
        "max(payments_payouts_oldest_untaken_age_seconds)",
        { width: 8, thresholds: [300, 900] },
      ),
      stat(
        "Gateway left alone",
        "short",
        "Processes that do not call it after 5 failures in a row. See GatewayCircuitOpen.",
        "sum(payments_gateway_circuit_open)",
        { width: 8, thresholds: [1, 1] },
      ),
      graph(
        "Answers of the gateway",
        "ops",
        "A second. unknown: nobody knows what became of it, so it is asked, or sent again under the same key.",
        {
          "{{call}} {{answer}}":
            "sum by (call, answer) (rate(payments_gateway_calls_total[$__rate_interval]))",
        },
      ),
      graph("Duration of calls to the gateway, 95 %", "s", "From sending a Pago to the answer.", {
        "95 %":
          "histogram_quantile(0.95, sum by (le) (rate(payments_gateway_call_seconds_bucket[$__rate_interval])))",
      }),
      graph(
        "Webhooks of the gateway",
        "ops",
        "A second, by what they made of their Pago; known: told before; unbooked: see PaidAfterFailure.",
        {
          "{{outcome}}": "sum by (outcome) (rate(payments_gateway_webhooks_total[$__rate_interval]))",
        },
      ),
      graph(
        "Money paid out a minute by currency",
        "short",
        "Each currency in its own units, less what came back, by when its Pago was made.",
        `SELECT date_trunc('minute', created_at) AS time, moneda AS metric, (sum(monto) / 100.0)::float8 AS value ${SHOWN} AND estado = 'EXITOSO' AND NOT returned GROUP BY 1, 2 ORDER BY 1, 2`,
        { source: "postgres" },
      ),
      table(
        "Pagos by state and reason",
        "short",
        "Of those made in the time that is shown.",
        `SELECT estado, coalesce(motivo, CASE WHEN returned THEN 'returned' ELSE '' END) AS motivo, count(*)::float8 AS pagos ${SHOWN} GROUP BY 1, 2 ORDER BY 3 DESC`,
        { source: "postgres" },
      ),
    ],
  });
