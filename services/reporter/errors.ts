import { defineErrors, EXIT } from "../../lib/errors.js";

export class ReporterError extends defineErrors({
  /** No window of this reporter's service has that name. */
  REPORT_WINDOW_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** A window has 6 to 30 ticks. */
  REPORT_DURATION_REFUSED: { verdict: "reject", http: 422, exit: EXIT.usage },
}) {}
