import type { ProviderRules, ReasonPlace, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "insufficient_funds",
  BANK_DECLINE:
    "do_not_honor, generic_decline, call_issuer, transaction_not_allowed, do_not_try_again, no_action_taken, not_permitted, " +
    "revocation_of_all_authorizations, revocation_of_authorization, service_not_allowed, stop_payment_order, " +
    "approve_with_id, new_account_information_available, card_declined, declined_by_network, restricted_card",
  EXPIRED_CARD: "expired_card",
  INVALID_CARD:
    "incorrect_number, incorrect_cvc, incorrect_zip, incorrect_pin, incorrect_address, invalid_number, invalid_cvc, " +
    "invalid_expiry_month, invalid_expiry_year, invalid_pin, invalid_account, offline_pin_required, online_or_offline_pin_required",
  FRAUD_SUSPECTED:
    "fraudulent, merchant_blacklist, lost_card, stolen_card, pickup_card, security_violation, highest_risk_level, " +
    "elevated_risk_level, rule, suspected_fraud",
  "3DS_FAILED":
    "authentication_required, authentication_not_handled, mobile_device_authentication_required, " +
    "payment_intent_authentication_failure, authentication_failure",
  LIMIT_EXCEEDED:
    "card_velocity_exceeded, withdrawal_count_limit_exceeded, pin_try_exceeded, amount_too_large",
  NETWORK_ERROR:
    "processing_error, issuer_not_available, try_again_later, reenter_transaction, api_error, api_connection_error",
  TIMEOUT: "lock_timeout, payment_intent_payment_attempt_expired",
  CONFIGURATION:
    "currency_not_supported, card_not_supported, invalid_amount, testmode_decline, amount_too_small, live_mode_test_card",
  DUPLICATE: "duplicate_transaction",
  ABANDONED: "abandoned",
};

/** Errors of Stripe's own systems: the payment failed, nobody declined it. */
const TECHNICAL = "processing_error, api_error, api_connection_error, lock_timeout";

const REASON: ReasonPlace = {
  at: [
    "./last_payment_error/decline_code",
    "./last_payment_error/code",
    "./last_payment_error/type",
    "./outcome/reason",
    "./failure_code",
    "./failure_reason",
    "./outcome/network_decline_code",
    "./cancellation_reason",
  ],
  table: REASONS,
  technical: TECHNICAL,
};

/** What objects have in common; `./` is the object. */
const OBJECT = {
  reasons: [REASON],
  currency: { at: ["./currency"] },
  merchant: { at: ["./calculated_statement_descriptor", "./metadata/merchant_name"] },
  amount: [
    // A later refund of a charge tells the sum of all: what it moves is the difference.
    {
      for: "REFUNDED",
      at: ["./amount_refunded"],
      minus: "/data/previous_attributes/amount_refunded",
      unit: "minor",
    },
    { at: ["./amount", "./amount_total", "./amount_due", "./amount_paid"], unit: "minor" },
  ],
  payment: [{ at: ["./payment_intent/id", "./payment_intent"] }, { at: ["./charge/id", "./charge"] }],
  metadata: {
    reason_text: ["./last_payment_error/message", "./failure_message", "./outcome/seller_message"],
    network_code: ["./outcome/network_decline_code", "./last_payment_error/network_decline_code"],
    advice_code: ["./outcome/network_advice_code", "./outcome/advice_code"],
    dispute_reason: ["./reason"],
    order: ["./metadata/order_id"],
  },
} as const satisfies Partial<Rule>;

const DISPUTE =
  "charge.dispute.created|charge.dispute.updated|charge.dispute.closed|charge.dispute.funds_withdrawn";

const EVENT: Rule = {
  ...OBJECT,
  name: "event",
  when: [{ at: "/object", is: "event" }, { at: "/id", is: "evt_*" }, { at: "/type" }, { at: "/data/object" }],
  each: ["/data/object"],
  status: [
    {
      // A session completes before a voucher is paid, and without a payment where there is nothing to pay.
      by: ["/type", "./status", "./payment_status"],
      exceptions: true,
      outcomes: {
        APPROVED: "checkout.session.completed/complete/paid",
        PENDING: "checkout.session.completed/complete/unpaid",
        NOT_A_PAYMENT: "checkout.session.completed/complete/no_payment_required",
      },
    },
    {
      by: ["/type", "./object", "./status"],
      exceptions: true,
      outcomes: {
        APPROVED:
          "charge.succeeded|charge.captured|charge.updated/charge/succeeded, payment_intent.succeeded/payment_intent/succeeded, " +
          "payment_intent.amount_capturable_updated/payment_intent/requires_capture, " +
          "checkout.session.async_payment_succeeded/checkout.session/complete",
        PENDING:
          "charge.pending|charge.updated/charge/pending, payment_intent.processing/payment_intent/processing, " +
          "payment_intent.requires_action/payment_intent/requires_action, " +
          "payment_intent.created/payment_intent/requires_payment_method|requires_confirmation|requires_action|processing, " +
          "refund.created|refund.updated|charge.refund.updated/refund/pending|requires_action",
        DECLINED:
          "charge.failed/charge/failed, " +
          "payment_intent.payment_failed/payment_intent/requires_payment_method|requires_source|requires_confirmation|canceled",
        FAILED:
          "checkout.session.expired/checkout.session/expired, checkout.session.async_payment_failed/checkout.session/complete, " +
          "refund.created|refund.updated|charge.refund.updated/refund/canceled",
        "FAILED undoes APPROVED":
          "payment_intent.canceled/payment_intent/canceled, charge.expired/charge/succeeded|failed|pending",
        "FAILED undoes REFUNDED": "refund.failed|refund.updated|charge.refund.updated/refund/failed",
        REFUNDED:
          "charge.refunded/charge/succeeded, refund.created|refund.updated|charge.refund.updated/refund/succeeded, " +
          "charge.refunded/refund/succeeded",
        CHARGEBACK: `${DISPUTE}/dispute/needs_response|under_review|charge_refunded|lost`,
        // An inquiry: the issuer asks, and no money has moved.
        NOT_A_PAYMENT: `${DISPUTE}/dispute/warning_needs_response|warning_under_review|warning_closed`,
        "CHARGEBACK undoes CHARGEBACK":
          "charge.dispute.closed|charge.dispute.updated|charge.dispute.funds_reinstated/dispute/won, " +
          "charge.dispute.funds_reinstated/dispute/under_review|needs_response",
      },
    },
    {
      by: ["/type"],
      outcomes: {
        NOT_A_PAYMENT:
          "customer.*, product.*, price.*, plan.*, account.*, balance.*, payout.*, transfer.*, topup.*, file.*, person.*, " +
          "capability.*, coupon.*, promotion_code.*, tax_rate.*, tax_id.*, payment_method.*, setup_intent.*, source.*, sku.*, " +
          "subscription_schedule.*, invoiceitem.*, invoice.created, invoice.finalized, invoice.updated, invoice.upcoming, " +
          "invoice.sent, invoice.deleted, invoice.voided, invoice.will_be_due, quote.*, report*, radar.early_fraud_warning.*, " +
          "application_fee.*, billing_portal.*, cash_balance.*, issuing_*, terminal.*, test_helpers.*, treasury.*, credit_note.*, " +
          "identity.*, payment_link.*, review.*, mandate.*, climate.*, entitlements.*, financial_connections.*, billing.*",
      },
    },
  ],
  time: { at: ["/created", "./created"] },
  id: { notification: ["/id"], object: ["./id"], version: ["/type", "./status", "/created"] },
};

/** Without the envelope: what an API call answers, or integrators hand on. */
const BARE: Rule = {
  ...OBJECT,
  name: "object",
  when: [{ at: "/object", is: "charge, payment_intent, refund, dispute" }, { at: "/id" }, { at: "/status" }],
  status: [
    {
      by: ["/object", "/status", "/refunded"],
      exceptions: true,
      outcomes: { REFUNDED: "charge/succeeded/true" },
    },
    {
      by: ["/object", "/status"],
      exceptions: true,
      outcomes: {
        APPROVED: "charge|payment_intent/succeeded, payment_intent/requires_capture",
        PENDING:
          "charge/pending, payment_intent/processing|requires_action|requires_confirmation, refund/pending|requires_action",
        DECLINED: "charge/failed",
        FAILED: "refund/canceled",
        "FAILED undoes APPROVED": "payment_intent/canceled",
        "FAILED undoes REFUNDED": "refund/failed",
        REFUNDED: "refund/succeeded",
        CHARGEBACK: "dispute/needs_response|under_review|charge_refunded|lost",
        "CHARGEBACK undoes CHARGEBACK": "dispute/won",
      },
    },
    // An intent goes back to this state when an attempt failed; without an error none was made.
    {
      by: ["/object", "/status", "/last_payment_error/type"],
      outcomes: {
        DECLINED: "payment_intent/requires_payment_method/*",
        PENDING: "payment_intent/requires_payment_method/",
      },
    },
  ],
  time: { at: ["/created"] },
  id: { object: ["/id"], version: ["/status", "/amount_refunded", "/created"] },
};

/** The dashboard's export of payments: amounts are in the main unit, unlike everywhere else. */
const EXPORT: Rule = {
  name: "export",
  format: "csv",
  when: [{ at: "/paymentintent id" }, { at: "/status" }, { at: "/amount" }],
  status: [
    {
      by: ["/status"],
      outcomes: {
        APPROVED: "paid, succeeded, uncaptured",
        PENDING: "pending, requires_action, requires_confirmation, processing, incomplete",
        DECLINED: "failed, blocked, requires_payment_method",
        "FAILED undoes APPROVED": "canceled, expired",
        REFUNDED: "refunded, partial refund, partially refunded",
        CHARGEBACK: "disputed, dispute lost",
      },
    },
  ],
  reasons: [{ at: ["/decline reason", "/failure code"], table: REASONS, technical: TECHNICAL }],
  amount: [
    { for: "REFUNDED", at: ["/amount refunded"], unit: "major", notation: "any" },
    { at: ["/amount"], unit: "major", notation: "any" },
  ],
  currency: { at: ["/currency"] },
  merchant: { at: ["/statement descriptor"] },
  time: { at: ["/created date (utc)", "/created (utc)", "/created date", "/created"], zone: "UTC" },
  id: { object: ["/id", "/paymentintent id"], version: ["/status", "/amount refunded"] },
  payment: [{ at: ["/paymentintent id"] }],
  metadata: { reason_text: ["/seller message"], description: ["/description"] },
};

export const STRIPE: ProviderRules = {
  provider: "stripe",
  // UGX and ISK have no decimals by ISO; Stripe keeps two for old integrations. MGA is counted whole.
  digits: { ISK: 2, UGX: 2, MGA: 0 },
  rules: [
    EVENT,
    BARE,
    EXPORT,
    ...flatRules({
      unit: "minor",
      outcomes: {
        APPROVED: "requires_capture, uncaptured",
        PENDING: "requires_action, requires_confirmation",
        DECLINED: "failed, blocked",
        "FAILED undoes APPROVED": "canceled",
        REFUNDED: "partially_refunded",
        CHARGEBACK: "disputed",
      },
      reasons: { table: REASONS, technical: TECHNICAL },
    }),
  ],
};
