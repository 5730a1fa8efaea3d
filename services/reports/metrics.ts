import { gauge } from "../../lib/observability/registry.js";

export const reportsMetrics = {
  waitingEvents: gauge(
    "payments_reports_waiting_events",
    "Events in the queues of report-service, as this process saw them last; they are in no report yet",
  ),
};
