import { defineErrors, EXIT } from "../../lib/errors.js";

export class WalletError extends defineErrors({
  /** There is no such wallet. */
  WALLET_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** The user has an open wallet of that currency. */
  WALLET_EXISTS: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** The wallet was closed. */
  WALLET_CLOSED: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** There is money in the wallet. */
  WALLET_NOT_EMPTY: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** The wallet holds less than was asked for. */
  FUNDS_INSUFFICIENT: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** The balance would be larger than a wallet can hold. */
  BALANCE_TOO_LARGE: { verdict: "reject", http: 422, exit: EXIT.failed },
  /** The reference was used for another amount. */
  REFERENCE_USED: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** The wallet knows of no such payment. */
  PAYMENT_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** A part of a payment is to go back without anything that tells a repetition from a second refund. */
  REFUND_ID_MISSING: { verdict: "reject", http: 400, exit: EXIT.usage },
  /** Nothing was taken for the payment, or more is asked back than is left of it. */
  REFUND_REFUSED: { verdict: "reject", http: 409, exit: EXIT.failed },
}) {}
