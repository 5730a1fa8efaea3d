import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

const INVALID =
  "bad_filled_card_number|bad_filled_date|bad_filled_other|bad_filled_security_code|card_disabled|card_type_not_allowed";

/** `cc_rejected_*`; the Orders API leaves the prefix out. */
const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: both("insufficient_amount"),
  BANK_DECLINE: `${both("call_for_authorize|other_reason|card_error")}, rejected_by_bank, rejected_by_issuer, bank_error`,
  INVALID_CARD: both(INVALID),
  EXPIRED_CARD: both("card_expired"),
  FRAUD_SUSPECTED: `${both("blacklist|high_risk")}, rejected_high_risk, cc_rejected_fraud`,
  "3DS_FAILED": both("3ds_challenge|3ds_mandatory"),
  LIMIT_EXCEEDED: `${both("max_attempts")}, cc_amount_rate_limit_exceeded`,
  CONFIGURATION: `${both("invalid_installments")}, rejected_insufficient_data`,
  DUPLICATE: both("duplicated_payment"),
  TIMEOUT: "cc_rejected_time_out, timeout",
  ABANDONED: "expired, by_payer",
};

function both(names: string): string {
  return names
    .split("|")
    .map((name) => `cc_rejected_${name}, ${name}`)
    .join(", ");
}

const SITES = { mlb: "BR", mla: "AR", mlm: "MX", mlc: "CL", mco: "CO", mpe: "PE", mlu: "UY" };
/** One country each: an account has its site's currency. */
const CURRENCIES = { brl: "BR", ars: "AR", mxn: "MX", clp: "CL", cop: "CO", pen: "PE", uyu: "UY" };

const OUTCOMES = {
  APPROVED: "approved, authorized",
  PENDING: "pending, in_process",
  DECLINED: "rejected",
  "FAILED undoes APPROVED": "cancelled",
  REFUNDED: "refunded",
  CHARGEBACK: "charged_back",
};

const PAYMENT: Rule = {
  name: "payment",
  when: [{ at: "/transaction_amount" }, { at: "/currency_id" }, { at: "/status" }, { at: "/status_detail" }],
  status: [
    {
      by: ["/status", "/status_detail"],
      exceptions: true,
      outcomes: {
        // The money came back to the merchant; `settled` is the loss.
        "APPROVED undoes CHARGEBACK": "charged_back/reimbursed",
        REFUNDED: "approved/partially_refunded",
        // The buyer complained, and what was paid is held.
        PENDING: "in_mediation/*",
      },
    },
    { by: ["/status"], outcomes: OUTCOMES },
  ],
  reasons: [{ at: ["/status_detail"], table: REASONS }],
  amount: [
    // Of several refunds the last is what this event is about; without a list the sum is all that is told.
    { for: "REFUNDED", at: ["/refunds/-1/amount", "/transaction_amount_refunded"], unit: "major" },
    { at: ["/transaction_amount"], unit: "major" },
  ],
  currency: { at: ["/currency_id"] },
  merchant: { at: ["/collector_id"] },
  country: { at: ["/currency_id"], map: CURRENCIES },
  time: { at: ["/date_last_updated", "/date_created"], zone: "America/Argentina/Buenos_Aires" },
  id: { object: ["/id"], version: ["/status", "/status_detail", "/date_last_updated"] },
  metadata: { order: ["/external_reference"], reason_text: ["/status_detail"], collector: ["/collector_id"] },
};

/** The Orders API: an order with its payments, amounts as text. */
const ORDER: Rule = {
  name: "order",
  when: [{ at: "/transactions/payments" }, { at: "/status" }, { at: "/id" }],
  each: ["/transactions/payments"],
  status: [
    {
      by: ["./status", "./status_detail"],
      outcomes: {
        APPROVED: "processed/accredited, action_required/waiting_capture",
        PENDING: "action_required|processing|created|at_terminal/*",
        DECLINED: "failed|rejected/*",
        "FAILED undoes APPROVED": "canceled|cancelled|expired/*",
        REFUNDED: "refunded/*, processed/partially_refunded",
        CHARGEBACK: "charged_back/*",
        "APPROVED undoes CHARGEBACK": "charged_back/reimbursed",
      },
    },
  ],
  reasons: [{ at: ["./status_detail"], table: REASONS }],
  amount: [
    { for: "REFUNDED", at: ["./refunded_amount"], unit: "major" },
    { at: ["./amount", "./paid_amount"], unit: "major" },
  ],
  currency: { at: ["/currency", "/currency_id"] },
  country: { at: ["/country_code", "/currency"], map: { ...SITES, ...CURRENCIES, ...bySelf() } },
  time: { at: ["./date_last_updated", "/last_updated_date", "/created_date"] },
  id: { object: ["./id", "/id"], version: ["./status", "./status_detail", "/last_updated_date"] },
  metadata: { order: ["/external_reference", "/id"] },
};

function bySelf(): Record<string, string> {
  return Object.fromEntries(Object.values(SITES).map((code) => [code.toLowerCase(), code]));
}

/** A pointer: the payment has to be asked for. */
const NOTICE: Rule = {
  name: "notice",
  common: true,
  when: [{ at: "/data/id" }, { at: "/type" }, { at: "/action" }],
  status: [
    {
      by: ["/type"],
      outcomes: {
        NEEDS_FETCH:
          "payment, order, merchant_order, topic_merchant_order_wh, chargebacks, topic_chargebacks_wh, topic_claims_integration_wh, claim",
        NOT_A_PAYMENT:
          "mp-connect, plan, subscription, subscription_*, subscription_preapproval, invoice, point_integration_wh, delivery, " +
          "delivery_cancellation, test, test.*, card_updated, topic_card_id_wh, wallet_connect, stop_delivery_op_wh",
      },
    },
  ],
  id: { notification: ["/id"], object: ["/data/id"], version: ["/action", "/date_created"] },
  payment: [{ at: ["/data/id"] }],
};

/** The older form of the pointer. */
const IPN: Rule = {
  name: "ipn",
  common: true,
  format: "any",
  flat: true,
  when: [
    { at: "/topic", is: "payment, merchant_order, chargebacks" },
    { at: ["/resource", "/id"] },
    { at: ["/status", "/state", "/amount", "/value", "/total", "/currency"], absent: true },
  ],
  status: [{ by: ["/topic"], outcomes: { NEEDS_FETCH: "payment, merchant_order, chargebacks" } }],
  id: { object: ["/resource", "/id"], version: ["/topic"] },
  payment: [{ at: ["/resource"], lastSegment: true }, { at: ["/id"] }],
};

/** The report of settlements. */
const REPORT: Rule = {
  name: "report",
  format: "csv",
  when: [{ at: "/source_id" }, { at: "/transaction_type" }, { at: "/transaction_amount" }],
  status: [
    {
      by: ["/transaction_type"],
      outcomes: {
        APPROVED: "settlement, settlement_shipping",
        REFUNDED: "refund, refund_shipping",
        CHARGEBACK: "chargeback, chargeback_shipping",
        "APPROVED undoes CHARGEBACK": "dispute_won, chargeback_reversed, chargeback_cancel",
        // The buyer complained, and the money is held.
        PENDING: "dispute, dispute_shipping",
        NOT_A_PAYMENT:
          "withdrawal, withdrawal_cancel, payout, payouts, cashback, shipping, fee*, tax*, credit_payment, initial_available_balance, total",
      },
    },
  ],
  amount: [{ at: ["/transaction_amount"], unit: "major", notation: "any", signed: true }],
  currency: { at: ["/transaction_currency"] },
  country: { at: ["/site"], map: SITES },
  time: { at: ["/transaction_date", "/settlement_date"], zone: "America/Argentina/Buenos_Aires" },
  id: { object: ["/source_id"], version: ["/transaction_type", "/transaction_date", "/transaction_amount"] },
  metadata: { order: ["/external_reference"], payment_method: ["/payment_method"] },
};

export const MERCADOPAGO: ProviderRules = {
  provider: "mercadopago",
  aliases: ["mercado_pago", "mp", "meli"],
  rules: [
    PAYMENT,
    ORDER,
    NOTICE,
    IPN,
    REPORT,
    ...flatRules({ unit: "major", outcomes: OUTCOMES, reasons: { table: REASONS } }),
  ],
};
