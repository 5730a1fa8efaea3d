import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "2001",
  BANK_DECLINE:
    "2000, 2007, 2015, 2018, 2022, 2024, 2038, 2041, 2044, 2046, 2021, 2019, 2033, 2035, 2036, 2037, 2039, 2040, 2043, 2050, 2051, 2108",
  EXPIRED_CARD: "2004",
  INVALID_CARD: "2005, 2006, 2008, 2009, 2010, 2017, 2023, 2027, 2032, 2059, 2060, cvv, avs, avs_and_cvv",
  FRAUD_SUSPECTED: "2012, 2013, 2014, 2047, 2053, fraud, risk_threshold",
  "3DS_FAILED": "2099, three_d_secure",
  LIMIT_EXCEEDED: "2002, 2003, 2020, excessive_retry",
  NETWORK_ERROR: "3000, 2025, 2026",
  TIMEOUT: "2034",
  CONFIGURATION:
    "2011, 2028, 2029, 2030, 2031, 2042, 2045, 2048, 2049, application_incomplete, token_issuance",
  DUPLICATE: "2016, duplicate",
};

const STATUSES = {
  APPROVED:
    "authorized, submitted_for_settlement, settlement_confirmed, settled, settling, settlement_pending",
  PENDING: "authorizing",
  DECLINED: "processor_declined, gateway_rejected",
  FAILED: "failed",
  "FAILED undoes APPROVED": "voided, settlement_declined, authorization_expired",
};

/** A credit's statuses are those of a sale: they say how the refund goes. */
const CREDIT = {
  REFUNDED:
    "credit/settled|settling|submitted_for_settlement|settlement_confirmed|settlement_pending|authorized",
  PENDING: "credit/authorizing",
  UNKNOWN_VALUE: "credit/*",
  "FAILED undoes REFUNDED": "credit/failed|voided|settlement_declined|processor_declined|gateway_rejected",
};

/** `./` is the transaction. */
const TRANSACTION = {
  format: "xml",
  status: [
    { by: ["./type", "./status"], exceptions: true, outcomes: CREDIT },
    { by: ["./status"], outcomes: STATUSES },
  ],
  reasons: [
    {
      at: [
        "./processor-response-code",
        "./gateway-rejection-reason",
        "./processor-settlement-response-code",
        "./network-response-code",
      ],
      table: REASONS,
    },
  ],
  amount: [{ at: ["./amount"], unit: "major" }],
  currency: { at: ["./currency-iso-code"] },
  merchant: { at: ["./merchant-account-id", "./descriptor/name"] },
  time: { at: ["./updated-at", "./created-at"], zone: "UTC" },
  id: { object: ["./id"], version: ["./status", "./updated-at"] },
  payment: [{ at: ["./refunded-transaction-id"] }],
  metadata: {
    reason_text: ["./processor-response-text", "./additional-processor-response"],
    order: ["./order-id"],
    response_type: ["./processor-response-type"],
  },
} as const satisfies Partial<Rule>;

const BARE: Rule = {
  ...TRANSACTION,
  name: "transaction",
  common: true,
  when: [{ at: "/transaction/status" }, { at: "/transaction/id" }],
  each: ["/transaction"],
};

/** The kind decides: a disbursed transaction has no status, and a failed refund's is about the refund. */
const WEBHOOK: Rule = {
  ...TRANSACTION,
  name: "webhook_transaction",
  when: [{ at: "/notification/kind" }, { at: "/notification/subject/transaction" }],
  each: ["/notification/subject/transaction"],
  status: [
    {
      by: ["/notification/kind"],
      outcomes: {
        APPROVED: "transaction_disbursed, transaction_settled",
        "FAILED undoes APPROVED": "transaction_settlement_declined",
        "FAILED undoes REFUNDED": "refund_failed",
        NOT_A_PAYMENT: "transaction_reviewed",
      },
    },
    ...TRANSACTION.status,
  ],
  time: { at: ["/notification/timestamp", "./updated-at", "./created-at"], zone: "UTC" },
  id: { object: ["./id"], version: ["/notification/kind", "./status", "/notification/timestamp"] },
};

/** A dispute's money, id and kind are its own; the transaction within it is the payment. */
const DISPUTE: Rule = {
  name: "webhook_dispute",
  format: "xml",
  when: [{ at: "/notification/kind" }, { at: "/notification/subject/dispute" }],
  each: ["/notification/subject/dispute"],
  status: [
    {
      by: ["/notification/kind", "./kind"],
      exceptions: true,
      outcomes: {
        NOT_A_PAYMENT:
          "dispute_opened|dispute_under_review|dispute_lost|dispute_won|dispute_expired|dispute_accepted|dispute_disputed|dispute_auto_accepted/retrieval",
      },
    },
    {
      by: ["/notification/kind"],
      outcomes: {
        CHARGEBACK:
          "dispute_opened, dispute_lost, dispute_accepted, dispute_auto_accepted, dispute_disputed, dispute_expired, dispute_under_review",
        "CHARGEBACK undoes CHARGEBACK": "dispute_won",
      },
    },
  ],
  amount: [{ at: ["./amount-disputed", "./amount"], unit: "major" }],
  currency: { at: ["./currency-iso-code"] },
  merchant: { at: ["./merchant-account-id"] },
  time: { at: ["/notification/timestamp", "./received-date"], zone: "UTC" },
  id: { object: ["./id"], version: ["/notification/kind", "./status", "/notification/timestamp"] },
  payment: [{ at: ["./transaction/id"] }],
  metadata: { dispute_reason: ["./reason"], case_number: ["./case-number"] },
};

/** Subscriptions carry the transactions that they charged, the newest first. */
const SUBSCRIPTION: Rule = {
  ...TRANSACTION,
  name: "webhook_subscription",
  when: [{ at: "/notification/kind", is: "subscription_*" }, { at: "/notification/subject/subscription" }],
  each: ["/notification/subject/subscription"],
  status: [
    {
      by: ["/notification/kind"],
      outcomes: {
        NOT_A_PAYMENT:
          "subscription_canceled, subscription_expired, subscription_trial_ended, subscription_went_active, subscription_went_past_due, subscription_billing_skipped",
        APPROVED: "subscription_charged_successfully",
        DECLINED: "subscription_charged_unsuccessfully",
      },
    },
  ],
  reasons: [
    {
      at: [
        "./transactions/transaction/processor-response-code",
        "./transactions/transaction/gateway-rejection-reason",
      ],
      table: REASONS,
    },
  ],
  amount: [{ at: ["./transactions/transaction/amount"], unit: "major" }],
  currency: { at: ["./transactions/transaction/currency-iso-code"] },
  merchant: { at: ["./transactions/transaction/merchant-account-id", "./merchant-account-id"] },
  time: { at: ["/notification/timestamp"], zone: "UTC" },
  id: {
    object: ["./transactions/transaction/id", "./id"],
    version: ["/notification/kind", "/notification/timestamp"],
  },
  payment: [{ at: ["./transactions/transaction/id"] }],
};

/** All others: of merchants, disbursements, tokens. */
const OTHER: Rule = {
  name: "webhook_other",
  format: "xml",
  when: [{ at: "/notification/kind" }],
  status: [
    {
      by: ["/notification/kind"],
      outcomes: {
        NOT_A_PAYMENT:
          "check, disbursement, disbursement_exception, sub_merchant_*, partner_merchant_*, connected_merchant_*, oauth_access_revoked, " +
          "account_updater_daily_report, grantor_updated_*, grant_revoked, granted_payment_*, recipient_updated_*, payment_method_*, " +
          "local_payment_expired, local_payment_reversed, merchant_updates_*, subscription_*",
      },
    },
  ],
  id: { object: [], version: [] },
};

/** The same transaction as JSON of the SDKs. */
const SDK: Rule = {
  ...TRANSACTION,
  name: "sdk_transaction",
  format: "json",
  when: [{ at: "/currencyIsoCode" }, { at: "/status" }, { at: "/id" }],
  status: [
    { by: ["/type", "/status"], exceptions: true, outcomes: CREDIT },
    { by: ["/status"], outcomes: STATUSES },
  ],
  reasons: [{ at: ["/processorResponseCode", "/gatewayRejectionReason"], table: REASONS }],
  currency: { at: ["/currencyIsoCode"] },
  merchant: { at: ["/merchantAccountId"] },
  time: { at: ["/updatedAt", "/createdAt"], zone: "UTC" },
  id: { object: ["/id"], version: ["/status", "/updatedAt"] },
  payment: [{ at: ["/refundedTransactionId"] }],
  metadata: { reason_text: ["/processorResponseText"], order: ["/orderId"] },
};

export const BRAINTREE: ProviderRules = {
  provider: "braintree",
  rules: [
    BARE,
    WEBHOOK,
    DISPUTE,
    SUBSCRIPTION,
    OTHER,
    SDK,
    ...flatRules({ unit: "major", outcomes: STATUSES, reasons: { table: REASONS } }),
  ],
};
