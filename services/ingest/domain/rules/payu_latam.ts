import type { Path } from "../path.js";
import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

/** Messages, not numbers: 8, 23, 9996, 9998 and 9999 are shared by several of them. */
const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "insufficient_funds",
  BANK_DECLINE:
    "entity_declined, payment_network_rejected, contact_the_entity, restricted_card, invalid_transaction, not_accepted_transaction, " +
    "bank_account_not_authorized_for_automatic_debit, bank_account_activation_error, payment_network_declined, declined, " +
    "credit_card_not_authorized_for_internet_transactions, required_to_be_activated_in_bank",
  EXPIRED_CARD: "expired_card",
  INVALID_CARD:
    "invalid_card, invalid_expiration_date_or_security_code, invalid_expiration_date, invalid_security_code",
  FRAUD_SUSPECTED: "antifraud_rejected, bank_fraud_rejected, antifraud, fraud",
  LIMIT_EXCEEDED: "exceeded_amount",
  NETWORK_ERROR:
    "bank_unreachable, entity_messaging_error, payment_network_bad_response, payment_network_no_connection, internal_payment_provider_error, " +
    "error, repeat_transaction, error_converting_transaction_amounts, error_fixing_inconsistency, automatically_fixed_and_success_reversal, " +
    "automatically_fixed_and_unsuccess_reversal, automatic_fixed_not_supported, not_fixed_for_error_state, error_fixing_and_reversing",
  TIMEOUT: "payment_network_no_response, banks_time_out",
  CONFIGURATION:
    "inactive_payment_provider, digital_certificate_not_found, incomplete_data, invalid_response_partial_approval, " +
    "not_accepted_currency, security_certificate_error",
  ABANDONED: "abandoned_transaction, expired_transaction, abandoned, expired",
};
const TECHNICAL =
  "bank_unreachable, entity_messaging_error, payment_network_bad_response, payment_network_no_connection, payment_network_no_response, " +
  "internal_payment_provider_error, inactive_payment_provider, digital_certificate_not_found, error, incomplete_data, " +
  "error_converting_transaction_amounts, banks_time_out, not_accepted_transaction, invalid_response_partial_approval";

const STATES = { APPROVED: "4", PENDING: "7, 10, 12, 14, 15, 18", DECLINED: "6", FAILED: "104, 5" };

/** The confirmation page: a form, or JSON of the same names. */
const CONFIRMATION: Rule = {
  name: "confirmation",
  format: "any",
  when: [{ at: "/state_pol" }],
  status: [
    {
      by: ["/state_pol", "/response_message_pol"],
      exceptions: true,
      outcomes: { FAILED: "6/expired_transaction|abandoned_transaction" },
    },
    {
      by: ["/state_pol"],
      outcomes: STATES,
    },
  ],
  reasons: [{ at: ["/response_message_pol", "/error_message_bank"], table: REASONS, technical: TECHNICAL }],
  amount: [{ at: ["/value"], unit: "major" }],
  currency: { at: ["/currency"] },
  merchant: { at: ["/merchant_name", "/merchant_id"] },
  time: { at: ["/transaction_date", "/date"], zone: "America/Bogota" },
  id: { object: ["/transaction_id", "/reference_pol"], version: ["/state_pol", "/transaction_date"] },
  payment: [{ at: ["/transaction_id"] }],
  metadata: {
    order: ["/reference_sale"],
    merchant_id: ["/merchant_id"],
    response_code: ["/response_code_pol"],
    payment_method: ["/payment_method_name"],
  },
};

/** What the API answers, of a payment or of a refund: no amount. `code` only says that the call worked. */
const answer = (name: string, base: string, code: Path, when: Rule["when"]): Rule => ({
  name,
  format: "any",
  when,
  status: [
    {
      by: [`${base}/transactionResponse/state`],
      outcomes: {
        APPROVED: "approved",
        PENDING: "pending, submitted, in_progress",
        DECLINED: "declined",
        FAILED: "error, expired",
      },
    },
    { by: [code], outcomes: { FAILED: "error" } },
  ],
  reasons: [
    {
      at: [`${base}/transactionResponse/responseCode`, `${base}/transactionResponse/errorCode`],
      table: REASONS,
      technical: TECHNICAL,
    },
  ],
  amount: [{ at: [`${base}/transactionResponse/additionalInfo/amount`], unit: "major" }],
  time: { at: [`${base}/transactionResponse/operationDate`], zone: "America/Bogota" },
  id: {
    object: [`${base}/transactionResponse/transactionId`, `${base}/transactionResponse/orderId`],
    version: [`${base}/transactionResponse/state`, `${base}/transactionResponse/operationDate`],
  },
  metadata: {
    order: [`${base}/transactionResponse/orderId`],
    reason_text: [`${base}/transactionResponse/responseMessage`, `${base}/error`],
    network_code: [`${base}/transactionResponse/paymentNetworkResponseCode`],
  },
});

/** A query of an order: its status tells refunds. */
const ORDER: Rule = {
  name: "order",
  when: [{ at: "/result/payload/transactions" }, { at: "/result/payload/status" }],
  each: ["/result/payload/transactions"],
  status: [
    {
      by: ["/result/payload/status"],
      exceptions: true,
      outcomes: { REFUNDED: "refunded", FAILED: "cancelled" },
    },
    {
      by: ["./transactionResponse/state"],
      outcomes: {
        APPROVED: "approved",
        PENDING: "pending, submitted",
        DECLINED: "declined",
        FAILED: "error, expired",
      },
    },
  ],
  reasons: [{ at: ["./transactionResponse/responseCode"], table: REASONS, technical: TECHNICAL }],
  amount: [{ at: ["./additionalValues/TX_VALUE/value"], unit: "major" }],
  currency: { at: ["./additionalValues/TX_VALUE/currency"] },
  time: { at: ["./transactionResponse/operationDate"], zone: "America/Bogota" },
  id: { object: ["./id"], version: ["/result/payload/status", "./transactionResponse/state"] },
  metadata: { order: ["/result/payload/referenceCode"] },
};

export const PAYU_LATAM: ProviderRules = {
  provider: "payu_latam",
  aliases: ["payu", "payulatam"],
  rules: [
    CONFIRMATION,
    answer("answer_json", "", "/code", [
      { at: "/code", is: "success, error" },
      { at: "/transactionResponse/state" },
    ]),
    answer("answer_xml", "/paymentResponse", "/paymentResponse/code", [{ at: "/paymentResponse/code" }]),
    ORDER,
    ...flatRules({
      unit: "major",
      outcomes: STATES,
      reasons: { table: REASONS, technical: TECHNICAL },
      zone: "America/Bogota",
    }),
  ],
};
