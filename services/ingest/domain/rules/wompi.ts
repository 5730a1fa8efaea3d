import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";
import { DE39_REASONS } from "./iso8583_reasons.js";

/** `status_message` is text in Spanish. */
const MESSAGES: ReasonTable = {
  INSUFFICIENT_FUNDS: "fondos insuficientes*, saldo insuficiente*, insufficient funds*",
  BANK_DECLINE:
    "la transacción fue rechazada*, la transacción ha sido rechazada*, transacción rechazada*, rechazada por el banco*, negada*, " +
    "transacción negada*, la entidad financiera rechazó*",
  EXPIRED_CARD: "tarjeta vencida*, tarjeta expirada*, la tarjeta está vencida*",
  INVALID_CARD:
    "tarjeta inválida*, número de tarjeta inválido*, cvc inválido*, código de seguridad inválido*, datos de la tarjeta inválidos*",
  FRAUD_SUSPECTED:
    "sospecha de fraude*, posible fraude*, tarjeta robada*, tarjeta perdida*, tarjeta reportada*",
  "3DS_FAILED": "autenticación fallida*, la autenticación 3ds*, 3ds*, error en la autenticación*",
  LIMIT_EXCEEDED:
    "excede el límite*, excede cupo*, cupo excedido*, límite excedido*, monto excede*, supera el límite*",
  NETWORK_ERROR: "error de comunicación*, no se pudo comunicar*, error interno*, entidad no disponible*",
  TIMEOUT: "tiempo de espera*, tiempo agotado*",
  ABANDONED: "transacción abandonada*, transacción expirada*, el usuario canceló*, pago cancelado*",
  DUPLICATE: "transacción duplicada*",
};

const OUTCOMES = {
  APPROVED: "approved",
  PENDING: "pending",
  DECLINED: "declined",
  // A void before settlement: no money moved in the end.
  REFUNDED: "voided",
  FAILED: "error",
};

/** `./` is the transaction, in an event and in an answer of the API alike. */
const TRANSACTION = {
  status: [{ by: ["./status"], outcomes: OUTCOMES }],
  reasons: [
    { at: ["./payment_method/extra/processor_response_code"], table: DE39_REASONS, pad: 2 },
    { at: ["./status_message"], table: MESSAGES },
  ],
  amount: [{ at: ["./amount_in_cents"], unit: "cents" }],
  currency: { at: ["./currency"] },
  merchant: { at: ["./merchant/name", "./merchant/legal_name"] },
  time: { at: ["./finalized_at", "./created_at", "/sent_at"] },
  id: { object: ["./id"], version: ["./status", "./finalized_at", "./created_at"] },
  metadata: {
    reason_text: ["./status_message"],
    order: ["./reference"],
    payment_method: ["./payment_method_type"],
  },
} as const satisfies Partial<Rule>;

export const WOMPI: ProviderRules = {
  provider: "wompi",
  rules: [
    {
      ...TRANSACTION,
      name: "event",
      when: [
        { at: "/data/transaction/amount_in_cents" },
        { at: "/event" },
        { at: "/data/transaction/status" },
      ],
      each: ["/data/transaction"],
    },
    {
      ...TRANSACTION,
      name: "answer",
      when: [{ at: "/data/amount_in_cents" }, { at: "/data/status" }, { at: "/data/reference" }],
      each: ["/data"],
    },
    {
      ...TRANSACTION,
      name: "transaction",
      when: [
        { at: "/amount_in_cents" },
        { at: "/payment_method_type" },
        { at: "/status" },
        { at: "/reference" },
      ],
    },
    {
      // A void's answer: its own status says how the void went, the transaction within what became of the payment.
      ...TRANSACTION,
      name: "void",
      when: [
        { at: "/data/transaction/amount_in_cents" },
        { at: "/event", absent: true },
        { at: "/data/transaction/id" },
      ],
      each: ["/data/transaction"],
    },
    {
      name: "other_event",
      when: [{ at: "/event" }, { at: "/signature/checksum" }, { at: "/data/transaction", absent: true }],
      status: [
        {
          by: ["/event"],
          outcomes: {
            NOT_A_PAYMENT:
              "nequi_token.updated, bancolombia_transfer_token.updated, daviplata_token.updated, payment_link.*",
          },
        },
      ],
      id: { object: ["/signature/checksum"], version: [] },
    },
    ...flatRules({ unit: "cents", outcomes: OUTCOMES, reasons: { table: DE39_REASONS, pad: 2 } }),
  ],
};
