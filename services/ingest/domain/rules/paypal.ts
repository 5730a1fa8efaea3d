import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

/** `processor_response.response_code`, and reasons of `status_details`. */
const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "5120, insufficient_funds",
  BANK_DECLINE:
    "0500, 5100, 0100, 0800, 0880, 5110, 5200, 5930, 5950, declined_by_issuer, 1000, 5140, 5150, transaction_refused, " +
    "ppad, ppai, ppbl, ppca, ppdi, ppdv, pprm, ppru, pprr",
  EXPIRED_CARD: "5400",
  INVALID_CARD: "1330, 5180, 00n7, 5170, 1320, 1382, 5130, 0580, 0r00",
  FRAUD_SUSPECTED: "9500, 9510, 9520, 9530, 1310, declined_by_risk_fraud_filters",
  "3DS_FAILED": "5650, 5910, payer_action_required",
  LIMIT_EXCEEDED: "5160, 5135, 5560, 9540",
  NETWORK_ERROR: "0890, 5800, 5500, 1900, 1a00, 5190",
  TIMEOUT: "5700",
  CONFIGURATION: "1300, 1360, 1370, 1390, 5210, 1380, 5920",
  DUPLICATE: "5900",
};

const NON_PAYMENTS =
  "customer.*, billing.*, catalog.*, merchant.*, identity.*, invoicing.*, vault.*, payment.payoutsbatch.*, payment.payouts-item.*, " +
  "payments.payouts-item.*, risk.*, catalog.product.*, checkout.order.saved, checkout.checkout.buyer-approved, " +
  "payment-networks.alternative-payment.completed, mass-payment.*, customer.account-limitation.*, payment.referenced-payout-item.*";
const DISPUTES = "customer.dispute.created|customer.dispute.updated";

const EVENT: Rule = {
  name: "event",
  when: [{ at: "/event_type" }, { at: "/resource" }],
  each: ["/resource"],
  status: [
    {
      by: ["/event_type", "./dispute_life_cycle_stage", "./dispute_outcome/outcome_code"],
      exceptions: true,
      outcomes: {
        CHARGEBACK: `${DISPUTES}|customer.dispute.resolved/chargeback|pre_arbitration|arbitration/|resolved_buyer_favour|accepted`,
        "CHARGEBACK undoes CHARGEBACK":
          "customer.dispute.resolved/chargeback|pre_arbitration|arbitration/resolved_seller_favour|resolved_with_payout|canceled_by_buyer",
        NOT_A_PAYMENT: `${DISPUTES}|customer.dispute.resolved/inquiry/*`,
      },
    },
    {
      by: ["/event_type", "./status", "./state"],
      exceptions: true,
      outcomes: {
        APPROVED:
          "payment.capture.completed/completed|partially_refunded/, payment.authorization.created/created|captured|partially_captured/, " +
          "checkout.order.completed/completed/, payment.sale.completed//completed|partially_refunded, payment.order.created//*, " +
          "payment.authorization.created//authorized|captured, payment.capture.completed//completed|partially_refunded",
        PENDING:
          "payment.capture.pending/pending/, payment.sale.pending//pending, payment.capture.pending//pending, " +
          "payment.authorization.created/pending/, payment.authorization.created//pending, checkout.order.approved/approved/, " +
          "checkout.payment-approval.reversed/*, payment.refund.pending/pending/, checkout.order.processed/*",
        DECLINED:
          "payment.capture.denied|payment.capture.declined/declined|denied|failed/, payment.authorization.denied/denied|declined/, " +
          "payment.sale.denied//denied|declined, payment.capture.denied|payment.capture.declined//denied|declined, " +
          "checkout.order.declined/*",
        FAILED:
          "payment.capture.failed/failed|declined/, checkout.order.voided/voided/, payment.order.cancelled//*",
        "FAILED undoes APPROVED":
          "payment.authorization.voided/voided/, payment.authorization.expired/expired|voided/, " +
          "payment.authorization.voided//voided, payment.authorization.expired//expired",
        "FAILED undoes REFUNDED": "payment.refund.failed/failed|cancelled/",
        REFUNDED:
          "payment.capture.refunded|payment.sale.refunded/completed|refunded|partially_refunded/, " +
          "payment.capture.refunded|payment.sale.refunded|payment.refund.completed//completed|refunded|partially_refunded, " +
          "payment.refund.completed/completed/",
        CHARGEBACK: "payment.capture.reversed|payment.sale.reversed/*, risk.dispute.created/*",
      },
    },
    {
      by: ["/event_type"],
      outcomes: { NOT_A_PAYMENT: NON_PAYMENTS, UNKNOWN_VALUE: "customer.dispute.*, risk.dispute.*" },
    },
  ],
  reasons: [
    {
      at: ["./processor_response/response_code", "./processor_response/payment_advice_code"],
      table: REASONS,
      pad: 4,
    },
    { at: ["./status_details/reason", "./reason_code"], table: REASONS },
  ],
  amount: [
    {
      at: [
        "./amount/value",
        "./amount/total",
        "./dispute_amount/value",
        "./disputed_transactions/0/gross_amount/value",
        "./purchase_units/0/amount/value",
      ],
      unit: "major",
      signed: true,
    },
  ],
  currency: {
    at: [
      "./amount/currency_code",
      "./amount/currency",
      "./dispute_amount/currency_code",
      "./disputed_transactions/0/gross_amount/currency_code",
      "./purchase_units/0/amount/currency_code",
    ],
  },
  merchant: {
    at: ["./disputed_transactions/0/seller/name", "./purchase_units/0/payee/display_data/brand_name"],
  },
  time: { at: ["./create_time", "/create_time", "./update_time"] },
  id: {
    notification: ["/id"],
    object: ["./id", "./dispute_id"],
    version: ["/event_type", "./status", "./update_time"],
  },
  payment: [
    { at: ["./sale_id", "./capture_id", "./disputed_transactions/0/seller_transaction_id"] },
    { at: ["./links/[rel=up]/href"], lastSegment: true },
    { at: ["./parent_payment"] },
  ],
  metadata: {
    reason_text: ["./status_details/reason"],
    summary: ["/summary"],
    dispute_reason: ["./reason"],
    invoice: ["./invoice_id", "./custom_id"],
  },
};

/** What the API answers of a capture, an authorisation or a refund. */
const OBJECT: Rule = {
  ...EVENT,
  name: "object",
  when: [
    {
      at: "/links/0/href",
      is: "https://api.paypal.com/v2/payments/*, https://api.sandbox.paypal.com/v2/payments/*, https://api-m.*",
    },
    { at: "/amount/currency_code" },
    { at: "/status" },
  ],
  each: [],
  status: [
    {
      // Refunds alone say what is payable by the seller; the links tell it too.
      by: ["/status", "/seller_payable_breakdown/gross_amount/currency_code"],
      outcomes: {
        APPROVED: "completed|partially_refunded|created|captured|partially_captured/",
        PENDING: "pending/*",
        DECLINED: "declined|denied/",
        FAILED: "failed/",
        "FAILED undoes APPROVED": "voided|expired/",
        "FAILED undoes REFUNDED": "failed|cancelled/*",
        REFUNDED: "completed/*, refunded/",
      },
    },
  ],
  time: { at: ["/create_time", "/update_time"] },
  id: { object: ["/id"], version: ["/status", "/update_time"] },
};

const EXPORTED_PAYMENTS =
  "payment|general payment|express checkout payment|website payment|web accept payment|web accept payment received|mobile payment|" +
  "payment received|mass pay payment|mass payment|ebay auction payment|ebay payment|subscription payment|recurring payment|" +
  "recurring payment sent|preapproved payment|preapproved payment sent|preapproved payment bill user payment|donation payment|" +
  "donation received|shopping cart payment received|shopping cart payment sent|direct credit card payment|virtual terminal payment|" +
  "invoice payment|invoice received|advanced credit and debit card payment|website payments pro api solution|" +
  "virtual terminal transaction|point of sale transaction|paypal here payment|third party payment|payment sent|" +
  "express checkout payment sent|express checkout payment received|web accept payment sent";
const EXPORTED_REFUNDS = "payment refund|refund|express checkout payment refund";
const EXPORTED_OTHERS =
  "general withdrawal*, withdrawal*, withdraw funds*, transfer to bank*, fee*, chargeback fee*, dispute fee*, general currency conversion, " +
  "currency conversion*, account hold*, hold on *, general credit card deposit, general deposit, bank deposit*, " +
  "credit card deposit*, general credit card withdrawal, reserve *, payment hold*, payment review hold, payment release, " +
  "authorization, general authorization, void of authorization, reversal of general account hold, payment review release, transfer*";

/** Activity downloads. */
const EXPORT: Rule = {
  name: "export",
  format: "csv",
  when: [{ at: "/transaction id" }, { at: "/gross" }, { at: "/type" }, { at: "/status" }],
  status: [
    {
      by: ["/type", "/status"],
      exceptions: true,
      outcomes: {
        REFUNDED: `${EXPORTED_REFUNDS}/completed`,
        PENDING: `${EXPORTED_REFUNDS}/pending`,
        "FAILED undoes REFUNDED": `${EXPORTED_REFUNDS}/failed|canceled|cancelled|denied`,
        CHARGEBACK: "chargeback|payment reversal|chargeback settlement/completed",
      },
    },
    { by: ["/type"], exceptions: true, outcomes: { NOT_A_PAYMENT: EXPORTED_OTHERS } },
    {
      // Of a type that is not listed nobody knows whether it is a payment.
      by: ["/type", "/status"],
      outcomes: {
        APPROVED: `${EXPORTED_PAYMENTS}/completed`,
        PENDING: `${EXPORTED_PAYMENTS}/pending|held|processing|unclaimed`,
        DECLINED: `${EXPORTED_PAYMENTS}/denied|declined`,
        FAILED: `${EXPORTED_PAYMENTS}/failed`,
        "FAILED undoes APPROVED": `${EXPORTED_PAYMENTS}/canceled|cancelled|expired|voided|removed`,
        REFUNDED: `${EXPORTED_PAYMENTS}/refunded|partially refunded`,
        CHARGEBACK: `${EXPORTED_PAYMENTS}/reversed`,
      },
    },
  ],
  amount: [{ at: ["/gross"], unit: "major", notation: "any", signed: true }],
  currency: { at: ["/currency"] },
  time: { at: [["/date", "/time"]], zoneAt: "/timezone" },
  id: { object: ["/transaction id"], version: ["/type", "/status"] },
  payment: [{ at: ["/reference txn id"] }],
};

export const PAYPAL: ProviderRules = {
  provider: "paypal",
  rules: [
    EVENT,
    OBJECT,
    EXPORT,
    ...flatRules({
      unit: "major",
      outcomes: {
        APPROVED: "partially_captured, partially_refunded",
        "FAILED undoes APPROVED": "voided, expired",
        CHARGEBACK: "reversed",
      },
      reasons: { table: REASONS },
    }),
  ],
};
