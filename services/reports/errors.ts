import { defineErrors, EXIT } from "../../lib/errors.js";

export class ReportsError extends defineErrors({
  /** There is no such version of the report. */
  REPORT_VERSION_UNKNOWN: { verdict: "reject", http: 422, exit: EXIT.usage },
  /** Somebody has switched since the epoch that If-Match names. */
  REPORT_EPOCH_STALE: { verdict: "reject", http: 412, exit: EXIT.failed },
  /** If-Match names no epoch. */
  REPORT_EPOCH_INVALID: { verdict: "reject", http: 400, exit: EXIT.usage },
  /** Another process rebuilds the report. */
  REBUILD_IN_FLIGHT: { verdict: "retry", http: 409, exit: EXIT.failed },
  /** There is no rebuild that could be discarded. */
  REBUILD_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
}) {}
