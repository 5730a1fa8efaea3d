import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "insufficient_funds, conekta.errors.processing.bank.insufficient_funds",
  BANK_DECLINE:
    "card_declined, declined, do_not_honor, call_issuer, restricted_card, contact_issuer, conekta.errors.processing.bank.declined, " +
    "bank_bindings.declined, card_not_authorized",
  EXPIRED_CARD: "expired_card, card_expired, conekta.errors.processing.bank.expired_card",
  INVALID_CARD:
    "invalid_number, invalid_card, incorrect_cvv, invalid_cvc, invalid_expiry, incorrect_cvc, invalid_expiry_date",
  FRAUD_SUSPECTED:
    "suspected_fraud, antifraud_decline, stolen_card, lost_card, fraud, high_risk, conekta.errors.processing.charge.card_payment.suspicious_behaviour",
  "3DS_FAILED": "3ds_failed, authentication_failed, three_ds_failed",
  LIMIT_EXCEEDED:
    "limit_exceeded, card_limit_exceeded, amount_limit_exceeded, exceeded_retries, retry_limit_exceeded",
  NETWORK_ERROR: "processing_error, bank_unavailable, issuer_not_available, gateway_error, network_error",
  TIMEOUT: "timeout, bank_timeout",
  CONFIGURATION: "invalid_amount, msi_not_supported, currency_not_supported, card_not_supported",
  DUPLICATE: "duplicate_transaction, duplicated",
  ABANDONED: "expired, abandoned",
};

const STATUSES = {
  APPROVED: "paid, pre_authorized, pre-authorized",
  PENDING: "pending_payment, pending, pending_confirmation",
  DECLINED: "declined",
  FAILED: "failed",
  "FAILED undoes APPROVED": "expired, canceled, cancelled, voided",
  REFUNDED: "refunded, partially_refunded",
  CHARGEBACK: "charged_back",
};

/** Of an order or a charge; line items and charges of an order repeat its money and are left alone. */
const OBJECT = {
  reasons: [
    {
      at: [
        "./failure_code",
        "./charges/data/0/failure_code",
        "./charges/data/0/payment_method/failure_code",
        "./payment_method/failure_code",
        "./charges/data/0/failure_message",
      ],
      table: REASONS,
      technical: "processing_error, gateway_error, network_error, timeout",
    },
  ],
  amount: [
    {
      for: "REFUNDED",
      at: ["./refunds/data/0/amount", "./amount_refunded", "./charges/data/0/refunds/data/0/amount"],
      unit: "cents",
    },
    { at: ["./amount"], unit: "cents" },
  ],
  currency: { at: ["./currency"] },
  payment: [{ at: ["./order_id"] }],
  metadata: {
    reason_text: ["./failure_message", "./charges/data/0/failure_message"],
    payment_method: ["./payment_method/type"],
  },
} as const satisfies Partial<Rule>;

const EVENT: Rule = {
  ...OBJECT,
  name: "event",
  when: [
    { at: "/object", is: "event" },
    { at: "/data/object" },
    { at: "/type" },
    { at: "/webhook_status" },
    { at: "/id" },
  ],
  each: ["/data/object"],
  status: [
    {
      by: ["/type"],
      exceptions: true,
      outcomes: {
        NOT_A_PAYMENT:
          "webhook_ping, webhook.*, customer.*, plan.*, subscription.*, payout.*, payee.*, receipt.*, inbound_payment.*, " +
          "payment_link.*, report.*, entity.*",
        CHARGEBACK:
          "charge.chargeback.created, charge.chargeback.under_review, charge.chargeback.lost, order.charged_back, chargeback.*",
        "CHARGEBACK undoes CHARGEBACK": "charge.chargeback.won, chargeback.won",
        REFUNDED: "charge.refunded, order.refunded, order.partially_refunded, charge.partially_refunded",
        DECLINED: "charge.declined, order.declined",
        "FAILED undoes APPROVED":
          "order.canceled, order.expired, charge.expired, charge.canceled, order.voided",
      },
    },
    {
      // The object has to agree with its event: an order has `payment_status`, a charge `status`.
      by: ["/type", "./payment_status", "./status"],
      outcomes: {
        APPROVED:
          "order.paid/paid|pre_authorized/, order.pre_authorized/pre_authorized|paid/, charge.paid//paid, charge.pre_authorized//*, charge.updated//paid, order.updated/paid/",
        PENDING:
          "order.pending_payment|order.created|order.updated/pending_payment|/, charge.created|charge.pending_confirmation|charge.updated//pending_payment|pending_confirmation, " +
          "charge.under_fraud_review//*, order.fraudulent_activity/pending*",
        DECLINED: "order.updated/declined/, charge.created|charge.updated//declined",
        REFUNDED: "order.updated/refunded|partially_refunded/, charge.updated//refunded|partially_refunded",
      },
    },
  ],
  time: { at: ["/created_at", "./updated_at", "./paid_at", "./created_at"] },
  id: { notification: ["/id"], object: ["./id"], version: ["/type", "/created_at"] },
};

const BARE: Rule = {
  ...OBJECT,
  name: "object",
  when: [{ at: "/object", is: "order, charge" }, { at: "/livemode" }, { at: "/id" }, { at: "/created_at" }],
  status: [
    { by: ["/payment_status"], outcomes: STATUSES },
    { by: ["/status"], outcomes: STATUSES },
  ],
  time: { at: ["/paid_at", "/updated_at", "/created_at"] },
  id: { object: ["/id"], version: ["/payment_status", "/status", "/updated_at", "/amount_refunded"] },
};

export const CONEKTA: ProviderRules = {
  provider: "conekta",
  rules: [EVENT, BARE, ...flatRules({ unit: "cents", outcomes: STATUSES, reasons: { table: REASONS } })],
};
