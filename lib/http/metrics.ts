import { counter, gauge, histogram } from "../observability/registry.js";

/** Rate, errors and duration of each endpoint; what machines ask (/livez, /metrics, …) is not counted. */
export const httpMetrics = {
  requests: counter(
    "payments_http_requests_total",
    "Requests answered; status 499: the caller went away before",
    "service",
    "route",
    "method",
    "status",
  ),
  seconds: histogram(
    "payments_http_request_seconds",
    "From a request's headers to the end of its answer, less what its caller asked to wait (wait_s)",
    {
      labels: ["service", "route"],
      // Goals are 75 ms and 500 ms (p95): on both is an edge, and beside each.
      buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 10],
    },
  ),
  inFlight: gauge("payments_http_in_flight", "Requests being served"),
  shed: counter(
    "payments_http_shed_total",
    "Requests refused with 503 before their body was read: in_flight, pool (too many wait for the database), bytes (too many large bodies), ending",
    "reason",
  ),
};
