import { counter } from "../../lib/observability/registry.js";

/** Since the process began; what happened while it was away is not counted. */
export const metricsMetrics = {
  paymentCreated: counter("payment_created_total", "Payments that somebody wanted to make"),
  paymentApproved: counter("payment_approved_total", "Payments that were debited"),
  paymentDeclined: counter(
    "payment_declined_total",
    "Payments declined: for fraud, by the wallet, or given up because nobody decided in time",
  ),
  debitRequested: counter("wallet_debit_requested_total", "Debits that payments asked of wallets"),
  debitApproved: counter("wallet_debit_approved_total", "Debits that wallets made"),
  debitDeclined: counter("wallet_debit_declined_total", "Debits that wallets refused"),
  refunded: counter("wallet_refunded_total", "Refunds that wallets made"),
};
