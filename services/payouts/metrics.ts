import { counter, gauge, histogram } from "../../lib/observability/registry.js";

export const payoutsMetrics = {
  calls: counter(
    "payments_gateway_calls_total",
    "Pagos sent to the gateway and questions to it, by what came back: taken, refused, later, unknown; answered, failed",
    "call",
    "answer",
  ),
  callSeconds: histogram("payments_gateway_call_seconds", "From sending a Pago to the gateway's answer", {
    // A bank's API takes tenths of a second; 30 s is the limit.
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
  }),
  inHand: gauge("payments_gateway_in_hand", "Pagos that a dispatcher has in hand"),
  circuitOpen: gauge(
    "payments_gateway_circuit_open",
    "1 while the gateway is left alone after 5 failures in a row",
  ),
  notices: counter(
    "payments_gateway_webhooks_total",
    "Webhooks of the gateway that were taken, by what they made of their Pago",
    "outcome",
  ),
};
