import { counter, gauge } from "../../lib/observability/registry.js";

export const monitorQueueMetrics = {
  tries: counter(
    "payments_monitor_queue_tries_total",
    "Tries to bring the monitor a report, by what came of them: accepted, refused, failed (another one follows), given_up, waited (the monitor was away, so it does not count)",
    "result",
  ),
  held: gauge("payments_monitor_queue_held_reports", "Reports that this process has in hand"),
  away: gauge("payments_monitor_queue_monitor_away", "1 while the monitor does not answer this process"),
};
