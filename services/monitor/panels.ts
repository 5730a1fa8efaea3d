import { graph, stat } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";

export const monitorPanels = () =>
  servicePanels({
    service: "monitor-service",
    http: true,
    queues: [],
    schema: "monitor",
    business: [
      stat(
        "Windows open",
        "short",
        "Under way; each ends closed, or as an alert.",
        "max(payments_monitor_open_windows)",
        { width: 6 },
      ),
      stat(
        "Windows that nobody can decide",
        "short",
        "Over for a minute or more; their reports may be on their way. See MonitorUndecided.",
        "max(payments_monitor_unknown_windows)",
        { width: 6, thresholds: [1, 100] },
      ),
      stat(
        "Alerts in the last hour",
        "short",
        "Windows whose reports did not come. See WindowReportsMissing.",
        "max(payments_monitor_alerts_last_hour)",
        { width: 6, thresholds: [1, 100] },
      ),
      stat(
        "Reports held",
        "short",
        "By monitor-queue: under way to the monitor, or waiting for another try. See MonitorQueueAway.",
        "sum(payments_monitor_queue_held_reports)",
        { width: 6, thresholds: [500, 1_500] },
      ),
      graph("Reports a second", "ops", "By what became of them at the monitor.", {
        "{{outcome}}": "sum by (outcome) (rate(payments_monitor_reports_total[$__rate_interval]))",
      }),
      graph("Tries a second", "ops", "Of monitor-queue, by what came of them.", {
        "{{result}}": "sum by (result) (rate(payments_monitor_queue_tries_total[$__rate_interval]))",
      }),
      graph("Alerts of the latest five windows", "short", "By service: three or more are no accident.", {
        "{{service_name}}": "max by (service_name) (payments_monitor_service_alerts_of_last_five)",
      }),
    ],
  });
