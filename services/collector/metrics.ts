import { counter } from "../../lib/observability/registry.js";

export const collectorMetrics = {
  events: counter(
    "collector_events_total",
    "Events that partners told, by type (none: it has none that is known) and outcome: accepted, duplicate, conflict or refused",
    "type",
    "outcome",
  ),
  refusals: counter(
    "collector_requests_refused_total",
    "Requests of partners that were refused whole, by code: a signature, the limit",
    "code",
  ),
};
