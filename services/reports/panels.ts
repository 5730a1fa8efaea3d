import { graph, stat } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { REPORTS_QUEUES } from "./queues.js";

export const reportsPanels = () =>
  servicePanels({
    service: "report-service",
    http: true,
    queues: REPORTS_QUEUES,
    schema: "reports",
    business: [
      stat(
        "Events not in a report",
        "short",
        "That wait in the queues of reports, and payouts that are parked. In a quiet system 0. See ReportsParked and ServiceQueueLag.",
        "max(payments_reports_waiting_events) + max(payments_reports_parked_payouts)",
        { width: 6 },
      ),
      stat(
        "Epoch",
        "short",
        "One more with each switch of version or read model; GET /api/reports/version tells who.",
        "max(payments_reports_epoch)",
        { width: 6 },
      ),
      graph(
        "Events archived a second",
        "ops",
        "By position of the archive, and how many a rebuild lacks. See ReportsRebuildLeft.",
        {
          archived: "max(deriv(payments_reports_position[$__rate_interval]))",
          "rebuild behind": "max(payments_reports_rebuild_behind_events)",
        },
      ),
      graph(
        "Payouts by state",
        "short",
        "All there are, as the report has them.",
        "SELECT now() AS time, state AS metric, sum(payouts)::float8 AS value FROM reports.report_day GROUP BY 2 ORDER BY 2",
        { source: "postgres" },
      ),
    ],
  });
