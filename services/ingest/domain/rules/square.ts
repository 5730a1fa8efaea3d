import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { FLAT_REASONS, flatRules } from "./flat.js";

const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "INSUFFICIENT_FUNDS",
  BANK_DECLINE:
    "GENERIC_DECLINE, CARD_DECLINED, CARD_DECLINED_CALL_ISSUER, CALL_ISSUER, TRANSACTION_NOT_PERMITTED, CARD_DECLINED_VERIFICATION_REQUIRED",
  EXPIRED_CARD: "CARD_EXPIRED",
  INVALID_CARD:
    "CVV_FAILURE, INVALID_EXPIRATION, ADDRESS_VERIFICATION_FAILURE, INVALID_ACCOUNT, INVALID_CARD, INVALID_CARD_DATA, INVALID_PIN, " +
    "PAN_FAILURE, BAD_EXPIRATION, VERIFY_CVV_FAILURE, VERIFY_AVS_FAILURE, EXPIRATION_FAILURE, CHIP_INSERTION_REQUIRED",
  FRAUD_SUSPECTED: "CARDHOLDER_SUSPECTED_FRAUD, SUSPECTED_FRAUD, FRAUD_REJECTED",
  "3DS_FAILED": "BUYER_REFUSED_VERIFICATION, AUTHENTICATION_FAILED",
  LIMIT_EXCEEDED: "TRANSACTION_LIMIT, ALLOWABLE_PIN_TRIES_EXCEEDED, AMOUNT_TOO_HIGH, PAYMENT_LIMIT_EXCEEDED",
  NETWORK_ERROR: "TEMPORARY_ERROR, GATEWAY_TIMEOUT_ERROR, CARD_PROCESSING_ERROR",
  TIMEOUT: "GATEWAY_TIMEOUT",
  CONFIGURATION:
    "CARD_NOT_SUPPORTED, UNSUPPORTED_CARD_BRAND, UNSUPPORTED_ENTRY_METHOD, CURRENCY_MISMATCH, INVALID_LOCATION, MANUALLY_ENTERED_PAYMENT_NOT_SUPPORTED",
  DUPLICATE: "IDEMPOTENCY_KEY_REUSED",
};
const TECHNICAL = "TEMPORARY_ERROR, GATEWAY_TIMEOUT_ERROR, CARD_PROCESSING_ERROR, GATEWAY_TIMEOUT";

/** `./` is the payment. FAILED with an error of the card is a decline. */
const PAYMENT = {
  status: [
    {
      by: ["./status", "./card_details/errors/0/category"],
      exceptions: true,
      outcomes: {
        DECLINED: "failed/payment_method_error",
        // Errors of the request and of systems: no issuer was asked, or none answered.
        FAILED:
          "failed/, failed/api_error|refund_error|invalid_request_error|authentication_error|rate_limit_error|merchant_subscription_error",
        UNKNOWN_VALUE: "failed/*",
      },
    },
    {
      by: ["./status"],
      outcomes: {
        APPROVED: "approved, completed",
        PENDING: "pending",
        "FAILED undoes APPROVED": "canceled",
      },
    },
  ],
  reasons: [
    {
      at: ["./card_details/errors/0/code", "./bank_account_details/errors/0/code"],
      table: REASONS,
      technical: TECHNICAL,
    },
  ],
  amount: [{ at: ["./total_money/amount", "./amount_money/amount"], unit: "minor" }],
  currency: { at: ["./total_money/currency", "./amount_money/currency"] },
  merchant: { at: ["/merchant_id"] },
  metadata: {
    reason_text: ["./card_details/errors/0/detail"],
    order: ["./order_id"],
    location: ["./location_id"],
    merchant_id: ["/merchant_id"],
  },
  time: { at: ["./updated_at", "./created_at", "/created_at"] },
} as const satisfies Partial<Rule>;

const PAYMENT_EVENT: Rule = {
  ...PAYMENT,
  name: "payment_event",
  when: [{ at: "/data/object/payment" }, { at: "/event_id" }, { at: "/type", is: "payment.*" }],
  each: ["/data/object/payment"],
  id: { notification: ["/event_id"], object: ["./id"], version: ["./status", "./updated_at"] },
  payment: [{ at: ["./id"] }],
};

const REFUND = {
  status: [
    {
      by: ["./status"],
      outcomes: { REFUNDED: "completed", PENDING: "pending", "FAILED undoes REFUNDED": "failed, rejected" },
    },
  ],
  amount: [{ at: ["./amount_money/amount"], unit: "minor" }],
  currency: { at: ["./amount_money/currency"] },
  merchant: { at: ["/merchant_id"] },
  payment: [{ at: ["./payment_id"] }],
  time: PAYMENT.time,
  metadata: { reason_text: ["./reason"], location: ["./location_id"], merchant_id: ["/merchant_id"] },
} as const satisfies Partial<Rule>;

const REFUND_EVENT: Rule = {
  ...REFUND,
  name: "refund_event",
  when: [{ at: "/data/object/refund" }, { at: "/event_id" }, { at: "/type", is: "refund.*" }],
  each: ["/data/object/refund"],
  id: { notification: ["/event_id"], object: ["./id"], version: ["./status", "./updated_at"] },
};

const DISPUTE_EVENT: Rule = {
  name: "dispute_event",
  when: [{ at: "/data/object/dispute" }, { at: "/event_id" }, { at: "/type", is: "dispute.*" }],
  each: ["/data/object/dispute"],
  status: [
    {
      by: ["./state"],
      outcomes: {
        CHARGEBACK: "evidence_required, processing, lost, accepted, waiting_third_party",
        "CHARGEBACK undoes CHARGEBACK": "won",
        NOT_A_PAYMENT: "inquiry_evidence_required, inquiry_processing, inquiry_closed",
      },
    },
  ],
  amount: [{ at: ["./amount_money/amount"], unit: "minor" }],
  currency: { at: ["./amount_money/currency"] },
  merchant: { at: ["/merchant_id"] },
  time: { at: ["./updated_at", "/created_at", "./created_at"] },
  id: { notification: ["/event_id"], object: ["./id", "./dispute_id"], version: ["./state", "./updated_at"] },
  payment: [{ at: ["./disputed_payment/payment_id"] }],
  metadata: { dispute_reason: ["./reason"], merchant_id: ["/merchant_id"], location: ["./location_id"] },
};

/** What the API answers. */
const answer = (name: "payment" | "refund", rule: typeof PAYMENT | typeof REFUND): Rule => ({
  ...rule,
  name: `${name}_answer`,
  when: [
    { at: `/${name}/id` },
    { at: `/${name}/status` },
    { at: `/${name}/amount_money/amount` },
    { at: `/${name}/location_id` },
  ],
  each: [`/${name}`],
  id: { object: ["./id"], version: ["./status", "./updated_at"] },
});

/** All other events. */
const OTHER: Rule = {
  name: "other_event",
  common: true,
  when: [{ at: "/event_id" }, { at: "/type" }, { at: "/merchant_id" }],
  status: [
    {
      by: ["/type"],
      outcomes: {
        NOT_A_PAYMENT:
          "customer.*, order.*, catalog.*, inventory.*, invoice.*, location.*, labor.*, team_member.*, job.*, loyalty.*, gift_card.*, " +
          "card.*, bank_account.*, booking.*, device.*, merchant.*, oauth.*, payout.*, subscription.*, terminal.*, vendor.*, " +
          "online_checkout.*, dispute.evidence.*, transfer_order.*",
      },
    },
  ],
  id: { notification: ["/event_id"], object: ["/data/id"], version: ["/type"] },
};

export const SQUARE: ProviderRules = {
  provider: "square",
  aliases: ["squareup"],
  rules: [
    PAYMENT_EVENT,
    REFUND_EVENT,
    DISPUTE_EVENT,
    answer("payment", PAYMENT),
    answer("refund", REFUND),
    OTHER,
    ...flatRules({
      unit: "minor",
      // FAILED with an error of the card is a decline here, too.
      tables: (status) =>
        FLAT_REASONS.map((name) => ({
          by: [status, `/${name}`],
          exceptions: true,
          outcomes: { DECLINED: `failed/${Object.values(REASONS).join(", ").replaceAll(", ", "|")}` },
        })),
      outcomes: { "FAILED undoes APPROVED": "canceled" },
      reasons: { table: REASONS, technical: TECHNICAL },
    }),
  ],
};
