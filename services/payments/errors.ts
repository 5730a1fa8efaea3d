import { defineErrors, EXIT } from "../../lib/errors.js";

export class PaymentsError extends defineErrors({
  /** There is no such payment; an event about one may have come before it. */
  PAYMENT_NOT_FOUND: { verdict: "retry", http: 404, exit: EXIT.usage },
  /** The customer used the reference for another payment. */
  PAYMENT_REFERENCE_USED: { verdict: "reject", http: 409, exit: EXIT.failed },
}) {}
