import { defineErrors, EXIT } from "../../lib/errors.js";

export class PaymentsError extends defineErrors({
  /** There is no such payment. Handlers try an event about it again all the same: it may have come first. */
  PAYMENT_NOT_FOUND: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** The customer used the reference for another payment. */
  PAYMENT_REFERENCE_USED: { verdict: "reject", http: 409, exit: EXIT.failed },
}) {}
