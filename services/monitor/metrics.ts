import { counter } from "../../lib/observability/registry.js";

export const monitorMetrics = {
  reports: counter(
    "payments_monitor_reports_total",
    "Reports of windows that monitor-service took: received, late, duplicate, conflict (of another schedule), declared (a window was opened)",
    "outcome",
  ),
};
