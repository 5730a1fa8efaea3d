import { defineErrors, EXIT } from "../../lib/errors.js";

export class MonitorQueueError extends defineErrors({
  /** The monitor will never take this report. */
  REPORT_REFUSED: { verdict: "reject", http: 502, exit: EXIT.failed },
  /** A report was tried as often as MONITOR_QUEUE_TRIES says, while the monitor answered others. */
  REPORT_GIVEN_UP: { verdict: "reject", http: 502, exit: EXIT.failed },
}) {}
