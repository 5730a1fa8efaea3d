import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

/** `response_code`: 20xxx soft, 30xxx hard, 40xxx risk. */
const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "20051",
  BANK_DECLINE: "20001, 20002, 20005, 20057, 20062, 20093, 20103, 20102, 30020, 30046, 20017, 20018",
  EXPIRED_CARD: "20054, 30033",
  INVALID_CARD:
    "20014, 20052, 20053, 20055, 20082, 20087, 20100, 30015, 20056, 20078, 20111, 20112, 200n7, 20082",
  FRAUD_SUSPECTED:
    "20059, 20063, 30004, 30007, 30034, 30035, 30036, 30041, 30043, 30045, 40101, 40201, 40202, 40203, 40204, 40205, 30017, 30016, 30018, 30019",
  "3DS_FAILED": "20150, 20151, 20152, 20153, 20154, 20155",
  LIMIT_EXCEEDED: "20061, 20065, 20075, 20038, 30038, 20107, 20106, 30062",
  NETWORK_ERROR: "20006, 20019, 20091, 20092, 20095, 20096, 20097, 20089",
  TIMEOUT: "20068",
  CONFIGURATION: "20003, 20012, 20013, 20030, 20031, 20058, 20104, 20105, 20108, 20109, 20113",
  DUPLICATE: "20094",
};

const amount = [{ at: ["./amount"], unit: "minor" }] as const;

const EVENT: Rule = {
  name: "event",
  when: [{ at: "/data/id" }, { at: "/type" }, { at: "/id", is: "evt_*" }, { at: "/created_on" }],
  each: ["/data"],
  status: [
    {
      by: ["/type"],
      outcomes: {
        APPROVED: "payment_approved, payment_captured, payment_paid, card_verified",
        PENDING:
          "payment_pending, payment_capture_pending, payment_refund_pending, payment_void_pending, payment_retry_scheduled, " +
          "payment_authentication_initiated, payment_instruments_pending",
        DECLINED:
          "payment_declined, card_verification_declined, payment_authorization_declined, payment_authorization_increment_declined",
        "DECLINED 3DS_FAILED": "payment_authentication_failed",
        FAILED: "payment_refund_declined, payment_void_declined",
        "FAILED undoes APPROVED":
          "payment_capture_declined, payment_voided, payment_canceled, payment_expired, payment_returned",
        REFUNDED: "payment_refunded",
        CHARGEBACK:
          "dispute_received, dispute_evidence_required, dispute_evidence_submitted, dispute_evidence_acknowledged_by_scheme, dispute_lost, " +
          "dispute_accepted, dispute_expired, dispute_arbitration_lost, dispute_arbitration_sent_to_scheme",
        "CHARGEBACK undoes CHARGEBACK":
          "dispute_won, dispute_canceled, dispute_resolved, dispute_arbitration_won",
        NOT_A_PAYMENT:
          "payment_link_*, vault_*, workflow_*, marketplace_*, issuing_*, gateway_*, account_*, identity_*, report_*, authentication_*, " +
          "payments_disabled, payout_*, transfer_*, invoice.*, instrument_*, cardholder_*, payment_instrument_*, sub_entity_*, " +
          "payment_authorization_incremented, bank_transfer_*",
      },
    },
  ],
  reasons: [{ at: ["./response_code"], table: REASONS, technical: "20006, 20068, 20091, 20092, 20096" }],
  amount,
  currency: { at: ["./currency"] },
  merchant: { at: ["./billing_descriptor/name", "./processing/merchant_name"] },
  time: { at: ["./processed_on", "./date", "./received_on", "/created_on"] },
  id: { notification: ["/id"], object: ["./id"], version: ["/type", "/created_on"] },
  payment: [{ at: ["./payment_id", "./payment/id"] }],
  metadata: {
    reason_text: ["./response_summary"],
    order: ["./reference"],
    dispute_reason: ["./reason_code"],
  },
};

const ANSWERS = {
  APPROVED: "authorized, captured, card verified, paid, partially captured",
  PENDING: "pending, retry scheduled, requested, deferred capture",
  DECLINED: "declined",
  "FAILED undoes APPROVED": "expired, voided, canceled, cancelled",
  REFUNDED: "refunded, partially refunded",
};

/** What the API answers: `approved` says how the payment went, `status` where it is. */
const ANSWER: Rule = {
  name: "payment",
  // Razorpay has ids and statuses like these.
  when: [{ at: "/id", is: "pay_*" }, { at: "/status" }, { at: ["/_links", "/action_id", "/approved"] }],
  status: [
    {
      by: ["/status"],
      outcomes: ANSWERS,
    },
  ],
  reasons: [{ at: ["/response_code", "/actions/0/response_code"], table: REASONS }],
  amount: [
    { for: "REFUNDED", at: ["/balances/total_refunded"], unit: "minor" },
    { at: ["/amount"], unit: "minor" },
  ],
  currency: { at: ["/currency"] },
  merchant: { at: ["/billing_descriptor/name"] },
  time: { at: ["/processed_on", "/requested_on"] },
  id: { object: ["/id"], version: ["/status", "/processed_on"] },
  metadata: { reason_text: ["/response_summary"], order: ["/reference"] },
};

const DISPUTE: Rule = {
  name: "dispute",
  when: [{ at: "/id", is: "dsp_*" }, { at: "/status" }, { at: "/payment_id" }],
  status: [
    {
      by: ["/status"],
      outcomes: {
        CHARGEBACK:
          "received, evidence_required, evidence_submitted, evidence_under_review, lost, accepted, expired, arbitration_*",
        "CHARGEBACK undoes CHARGEBACK": "won, canceled, resolved",
      },
    },
  ],
  amount: [{ at: ["/amount"], unit: "minor" }],
  currency: { at: ["/currency"] },
  time: { at: ["/received_on", "/last_update"] },
  id: { object: ["/id"], version: ["/status", "/last_update"] },
  payment: [{ at: ["/payment_id"] }],
  metadata: { dispute_reason: ["/reason_code"] },
};

export const CHECKOUT_COM: ProviderRules = {
  provider: "checkout_com",
  aliases: ["checkout", "cko"],
  // CLP is sent with two zeros at the end, and counted as others with two decimals.
  digits: { CLP: 2, CLF: 0, ISK: 0 },
  rules: [
    EVENT,
    ANSWER,
    DISPUTE,
    ...flatRules({ unit: "minor", outcomes: ANSWERS, reasons: { table: REASONS } }),
  ],
};
