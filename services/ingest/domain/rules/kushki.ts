import type { ProviderRules, ReasonTable, Rule, StatusTable } from "../rule.js";
import { flatRules } from "./flat.js";
import { DE39_REASONS } from "./iso8583_reasons.js";

/** Codes of Kushki itself; issuers' come as two or three digits of ISO 8583. */
const REASONS: ReasonTable = {
  CONFIGURATION: "k001, k003, k004, k029, k040, k222, k322, 017, 028",
  NETWORK_ERROR: "k002, k005, k006, 006, 228",
  TIMEOUT: "k504, 504",
  FRAUD_SUSPECTED: "k021, k327, k328, 322, 021",
  "3DS_FAILED": "k018, k023, 3ds",
  INSUFFICIENT_FUNDS: "fondos insuficientes*, saldo insuficiente*, insufficient*",
  EXPIRED_CARD: "tarjeta expirada*, tarjeta vencida*, expired*",
  INVALID_CARD: "tarjeta inválida*, tarjeta no válida*, número de tarjeta*, cvv*, invalid card*",
  BANK_DECLINE:
    "transacción declinada*, transaccion declinada*, transacción rechazada*, declinada*, no autorizada*, contacte a su banco*",
  LIMIT_EXCEEDED: "límite excedido*, excede*, monto máximo*, supera*",
};

/** Three digits of an acquirer are two of ISO 8583 with a zero before them. */
const ISO: ReasonTable = Object.fromEntries(
  Object.entries(DE39_REASONS).map(([reason, codes]) => [
    reason,
    codes
      .split(", ")
      .map((code) => `${code}, 0${code}`)
      .join(", "),
  ]),
);

/** Taxes beside those that every country has. */
const EXTRA_TAXES = ["propina", "tasaAeroportuaria", "agenciaDeViaje", "iac"].map(
  (name) => `/amount/extraTaxes/${name}`,
);

const STATUSES: StatusTable = {
  by: ["/transaction_type", "/transaction_status"],
  outcomes: {
    APPROVED:
      "sale|capture|preauthorization|deferred|charge|subscription|authorization|card|/approval|approved|aprobada",
    PENDING: "sale|capture|preauthorization|deferred|charge|subscription|card|/initialized|pending|requested",
    DECLINED:
      "sale|capture|preauthorization|deferred|charge|subscription|authorization|card|/declined|denied|declinada|rechazada",
    FAILED:
      "sale|capture|preauthorization|deferred|charge|subscription|card|/expired|failed|cancelled, refund|void|reverse/declined|denied|failed",
    REFUNDED: "refund|void|reverse/approval|approved|aprobada",
    CHARGEBACK: "chargeback/approval|approved|initialized|",
  },
};

const WEBHOOK: Rule = {
  name: "webhook",
  when: [{ at: "/transaction_status" }, { at: "/ticket_number" }],
  status: [STATUSES],
  reasons: [
    { at: ["/response_code", "/processor_code", "/kushki_response/code"], table: ISO },
    {
      at: ["/response_code", "/kushki_response/code", "/response_text", "/kushki_response/message"],
      table: REASONS,
    },
  ],
  amount: [
    { for: "APPROVED, REFUNDED, CHARGEBACK", at: ["/approved_transaction_amount"], unit: "major" },
    { at: ["/request_amount"], unit: "major" },
    {
      at: [],
      sum: ["/amount/subtotalIva", "/amount/subtotalIva0", "/amount/iva", "/amount/ice", ...EXTRA_TAXES],
      unit: "major",
    },
  ],
  currency: { at: ["/currency_code", "/amount/currency"] },
  merchant: { at: ["/merchant_name", "/merchantName"] },
  country: { at: ["/country"] },
  time: { at: ["/created", "/created_at"], zone: "America/Guayaquil" },
  id: {
    object: [
      "/ticket_number",
      "/ticketNumber",
      "/transaction_id",
      "/transactionId",
      "/transaction_reference",
    ],
    version: ["/transaction_type", "/transaction_status", "/created"],
  },
  payment: [{ at: ["/sale_ticket_number", "/original_ticket_number"] }],
  metadata: {
    reason_text: ["/response_text"],
    network_code: ["/processor_code"],
    payment_method: ["/payment_brand"],
  },
};

/** A declined card has no ticket: its empty number is no id. */
const BY_REFERENCE: Rule = {
  ...WEBHOOK,
  name: "webhook_without_ticket",
  when: [
    { at: "/transaction_status" },
    { at: "/transaction_reference" },
    { at: "/ticket_number", absent: true },
  ],
};

/** What the API answers when all went well: a number and no status. With `details` there is one. */
const TICKET: Rule = {
  name: "ticket",
  common: true,
  when: [
    { at: "/ticketNumber" },
    { at: ["/status", "/state", "/amount", "/value", "/total", "/currency", "/result"], absent: true },
  ],
  status: [
    {
      by: ["/details/transactionType", "/details/transactionStatus"],
      outcomes: {
        APPROVED: "sale|capture|preauthorization|deferred|charge|/approval",
        DECLINED: "sale|capture|preauthorization|deferred|charge|/declined",
        PENDING: "sale|capture|preauthorization|deferred|charge|/initialized",
        REFUNDED: "refund|void/approval",
      },
    },
    { by: ["/ticketNumber"], outcomes: { NEEDS_FETCH: "*" } },
  ],
  reasons: [
    { at: ["/details/responseCode"], table: ISO },
    { at: ["/details/responseCode", "/details/responseText"], table: REASONS },
  ],
  amount: [
    {
      for: "APPROVED, REFUNDED, CHARGEBACK",
      at: ["/details/approvedTransactionAmount", "/approvedAmount"],
      unit: "major",
    },
    { at: ["/details/requestAmount"], unit: "major" },
  ],
  currency: { at: ["/details/currencyCode"] },
  merchant: { at: ["/details/merchantName"] },
  time: { at: ["/details/created"] },
  id: { object: ["/ticketNumber"], version: ["/details/transactionType", "/details/transactionStatus"] },
  metadata: { reference: ["/transactionReference"] },
};

/** A declined charge of the API: a code of Kushki and a message. */
const DECLINED: Rule = {
  name: "declined_answer",
  when: [
    { at: "/code", is: "k*, 0*, 2*, 3*, 5*, 6*" },
    { at: "/message" },
    { at: "/transactionId" },
    { at: "/processorError" },
  ],
  status: [{ by: ["/code"], outcomes: { DECLINED: "k021, k322, 006, 017, 228, 322, 021", FAILED: "k*" } }],
  reasons: [
    { at: ["/processorError/processorCode"], table: ISO },
    { at: ["/code", "/processorError/responseText"], table: REASONS },
  ],
  id: { object: ["/transactionId", "/transactionReference"], version: ["/code"] },
  metadata: { reason_text: ["/message"] },
};

/** Card-present terminals. */
const TERMINAL: Rule = {
  name: "terminal",
  when: [
    { at: "/result", is: "aprobada, declinada, rechazada, denegada, pendiente, cancelada, anulada, error" },
    { at: "/amount" },
  ],
  hinted: true,
  status: [
    {
      by: ["/result"],
      outcomes: {
        APPROVED: "aprobada",
        PENDING: "pendiente",
        DECLINED: "declinada, rechazada, denegada",
        FAILED: "cancelada, error",
        REFUNDED: "anulada",
      },
    },
  ],
  reasons: [
    { at: ["/response_code", "/responseCode"], table: ISO },
    { at: ["/response_text", "/message"], table: REASONS },
  ],
  amount: [{ at: ["/amount"], unit: "major" }],
  currency: { at: ["/currency", "/currency_code"] },
  merchant: { at: ["/merchant_name"] },
  country: { at: ["/country"] },
  time: { at: ["/created", "/date"], zone: "America/Guayaquil" },
  id: { object: ["/ticket_number", "/transaction_id", "/id"], version: ["/result"] },
};

export const KUSHKI: ProviderRules = {
  provider: "kushki",
  rules: [
    WEBHOOK,
    BY_REFERENCE,
    TICKET,
    DECLINED,
    TERMINAL,
    ...flatRules({
      unit: "major",
      outcomes: { APPROVED: "approval", PENDING: "initialized" },
      reasons: { table: ISO },
    }),
  ],
};
