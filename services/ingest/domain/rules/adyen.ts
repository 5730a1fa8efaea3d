import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";
import { DE39_WITH_TEXT } from "./iso8583_reasons.js";

/** By number, by text of a webhook, and by name of a report. */
const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "12, not enough balance, not_enough_balance, insufficient funds, insufficient balance",
  BANK_DECLINE:
    "2, 3, 23, 25, 26, 27, refused, referral, transaction not permitted, transaction_not_permitted, restricted card, restricted_card, " +
    "revocation of auth, revocation_of_auth, declined non generic, declined_non_generic, do not honor, declined",
  EXPIRED_CARD: "6, expired card, expired_card",
  INVALID_CARD:
    "8, 17, 19, 24, 32, invalid card number, invalid_card, invalid_card_number, invalid pin, invalid_pin, pin validation not possible, " +
    "pin_validation_not_possible, cvc declined, cvc_declined, avs declined, avs_declined",
  FRAUD_SUSPECTED:
    "5, 14, 20, 22, 31, 46, blocked card, blocked_card, acquirer fraud, acquirer_fraud, fraud, fraud-cancelled, fraud_cancelled, " +
    "issuer suspected fraud, issuer_suspected_fraud",
  "3DS_FAILED":
    "11, 38, 39, 42, 3d not authenticated, 3d_not_authenticated, 3d-secure: authentication failed, authentication required, " +
    "authentication_required, rreq not received from ds, 3ds authentication error",
  LIMIT_EXCEEDED:
    "18, 28, 29, pin tries exceeded, pin_tries_exceeded, withdrawal amount exceeded, withdrawal_amount_exceeded, " +
    "withdrawal count exceeded, withdrawal_count_exceeded",
  NETWORK_ERROR: "4, 9, acquirer error, acquirer_error, issuer unavailable, issuer_unavailable",
  CONFIGURATION:
    "7, 10, 21, invalid amount, invalid_amount, not supported, not_supported, not submitted, not_submitted",
  ABANDONED: "15, 16, cancelled, shopper cancelled, shopper_cancelled",
};

/** A notice of fraud is a warning: no money has moved. */
const NON_PAYMENTS =
  "notification_of_fraud, " +
  "report_available, recurring_contract, processed_payout, payout_decline, payout_expire, payout_thirdparty, paidout_reversed, " +
  "account_holder_*, account_created, account_updated, beneficiary_setup, postponed_refund, deactivate_recurring, " +
  "donation, authentication, manual_review_accept, manual_review_reject, technical_cancel, issuer_response_timeframe_expired, " +
  "dispute_defense_period_ended, prearbitration_won, request_for_information, notification_test";

const WEBHOOK: Rule = {
  name: "webhook",
  when: [{ at: "/notificationItems" }],
  each: ["/notificationItems", "./NotificationRequestItem"],
  status: [
    {
      by: ["./eventCode", "./success"],
      exceptions: true,
      outcomes: {
        APPROVED: "authorisation|capture|authorisation_adjustment|order_closed|voided_refund/true",
        PENDING: "pending/*, offer_opened|order_opened/true, refund_with_data/pending, orderopened/true",
        DECLINED: "authorisation|authorisation_adjustment/false",
        // The capture did fail when success says "true": an authorisation without its money.
        "FAILED undoes APPROVED": "capture_failed/true, cancellation|cancel|technical_cancel|expire/true",
        "FAILED undoes REFUNDED": "refund_failed|refunded_reversed/true",
        FAILED:
          "capture|refund|refund_with_data|cancel_or_refund|cancellation|cancel|void_pending_refund/false, offer_closed|order_closed/*, " +
          "expire/false, capture_failed|refund_failed/false",
        REFUNDED: "refund|cancel_or_refund|refund_with_data/true",
        CHARGEBACK: "chargeback|second_chargeback|prearbitration_lost|notification_of_chargeback/true|",
        "APPROVED undoes CHARGEBACK": "chargeback_reversed/true|",
      },
    },
    {
      by: ["./eventCode"],
      outcomes: { NOT_A_PAYMENT: NON_PAYMENTS },
    },
  ],
  reasons: [
    { at: ["./additionalData/refusalReasonRaw"], table: DE39_WITH_TEXT },
    {
      at: ["./additionalData/refusalReasonCode", "./reason", "./additionalData/refusalReason"],
      table: REASONS,
    },
  ],
  amount: [{ at: ["./amount/value"], unit: "minor" }],
  currency: { at: ["./amount/currency"] },
  merchant: { at: ["./merchantAccountCode"] },
  time: { at: ["./eventDate"] },
  id: { object: ["./pspReference"], version: ["./eventCode", "./success", "./eventDate"] },
  payment: [{ at: ["./originalReference"] }],
  metadata: {
    reason_text: ["./additionalData/refusalReasonRaw"],
    dispute_reason: ["./additionalData/chargebackReasonCode"],
    merchant_reference: ["./merchantReference"],
    payment_method: ["./paymentMethod"],
  },
};

/** What `/payments` answers. */
const ANSWER: Rule = {
  name: "answer",
  when: [{ at: "/resultCode" }, { at: "/pspReference" }],
  status: [
    {
      by: ["/resultCode"],
      outcomes: {
        APPROVED: "authorised, partiallyauthorised",
        PENDING:
          "received, pending, presenttoshopper, identifyshopper, challengeshopper, redirectshopper, authenticationnotrequired, " +
          "authenticationfinished",
        DECLINED: "refused",
        FAILED: "error, cancelled",
      },
    },
  ],
  reasons: [
    { at: ["/refusalReasonCode", "/refusalReason", "/additionalData/refusalReasonRaw"], table: REASONS },
  ],
  amount: [{ at: ["/amount/value"], unit: "minor" }],
  currency: { at: ["/amount/currency"] },
  id: { object: ["/pspReference"], version: ["/resultCode"] },
  metadata: { reason_text: ["/refusalReason"], merchant_reference: ["/merchantReference"] },
};

const RECORD_TYPES = {
  APPROVED: "authorised, settled, settledbulk, sentforsettle, captured",
  PENDING: "received, sentforrefund, pending",
  DECLINED: "refused",
  FAILED: "error",
  "FAILED undoes REFUNDED": "refundfailed, refundedreversed",
  "FAILED undoes APPROVED": "capturefailed, settledreversed, cancelled, expired, settleerror",
  REFUNDED: "refunded, refundedbulk, refundedexternally",
  CHARGEBACK: "chargeback, chargebackexternally, secondchargeback, notificationofchargeback",
  "APPROVED undoes CHARGEBACK": "chargebackreversed, chargebackreversedexternally",
  NOT_A_PAYMENT:
    "fee, balancetransfer, merchantpayout, depositcorrection, misccosts, invoicededuction, reserveadjustment",
};

/** Payment accounting and settlement reports: main units, the time's zone in a column of its own. */
const REPORT: Rule = {
  name: "report",
  format: "csv",
  when: [{ at: "/psp reference" }, { at: "/record type" }],
  status: [{ by: ["/record type"], outcomes: RECORD_TYPES }],
  reasons: [
    { at: ["/refusal reason raw"], table: DE39_WITH_TEXT },
    { at: ["/refusal reason", "/acquirer response"], table: REASONS },
  ],
  amount: [
    {
      at: ["/main amount", "/amount", "/gross debit (gc)", "/gross credit (gc)", "/captured (pc)"],
      unit: "major",
      signed: true,
    },
  ],
  currency: { at: ["/main currency", "/currency", "/payment currency", "/gross currency"] },
  merchant: { at: ["/merchant account"] },
  time: { at: ["/booking date", "/creation date", "/date"], zoneAt: "/timezone" },
  id: {
    object: ["/modification psp reference", "/modification reference", "/psp reference"],
    version: ["/record type", "/booking date", "/creation date"],
  },
  payment: [{ at: ["/psp reference"] }],
  metadata: { merchant_reference: ["/merchant reference"] },
};

/** The settlement detail report has its kinds in a column `Type`. */
const SETTLEMENT: Rule = {
  ...REPORT,
  name: "settlement",
  when: [{ at: "/psp reference" }, { at: "/type" }, { at: "/merchant account" }],
  status: [{ by: ["/type"], outcomes: RECORD_TYPES }],
};

export const ADYEN: ProviderRules = {
  provider: "adyen",
  digits: { CLP: 2, CVE: 0, IDR: 0, ISK: 2 },
  rules: [
    WEBHOOK,
    ANSWER,
    REPORT,
    SETTLEMENT,
    ...flatRules({ unit: "minor", outcomes: RECORD_TYPES, reasons: { table: REASONS } }),
  ],
};
