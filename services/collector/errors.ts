import { defineErrors, EXIT } from "../../lib/errors.js";

export class CollectorError extends defineErrors({
  /** The source told no event under the id; what is decided about one may come from before a restore. */
  EVENT_UNKNOWN: { verdict: "retry", http: 404, exit: EXIT.usage },
}) {}
