import { defineErrors, EXIT } from "../../../lib/errors.js";

export class DeskError extends defineErrors({
  /** There is no such ticket, or not yet. */
  TICKET_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
}) {}
