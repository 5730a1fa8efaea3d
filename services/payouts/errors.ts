import { defineErrors, EXIT } from "../../lib/errors.js";

export class PayoutsError extends defineErrors({
  /** There is no such Pago. */
  PAGO_NOT_FOUND: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** The afiliado's referencia_pago belongs to another Pago. */
  PAGO_REFERENCE_USED: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** No Pago is made in that currency. */
  MONEDA_REFUSED: { verdict: "reject", http: 422, exit: EXIT.usage },
  /** A webhook's signature is missing, malformed, too old, or of other bytes. */
  WEBHOOK_SIGNATURE_INVALID: { verdict: "reject", http: 400, exit: EXIT.failed },
  /** The gateway's book, which an audit is to compare, cannot be read; the audit goes on without it. */
  GATEWAY_BOOK_UNREADABLE: { verdict: "retry", http: 503, exit: EXIT.incomplete },
}) {}
