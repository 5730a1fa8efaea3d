import { defineErrors, EXIT } from "../../lib/errors.js";

export class MonitorError extends defineErrors({
  /** Nobody has told of this window. */
  WINDOW_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
}) {}
