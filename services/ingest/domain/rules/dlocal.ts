import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "302",
  BANK_DECLINE: "300, 301, 306, 311, 312, 318, 322, 323, 326",
  EXPIRED_CARD: "309",
  INVALID_CARD: "308, 314, 315, 324",
  FRAUD_SUSPECTED: "303, 304, 310, 313, 317",
  "3DS_FAILED": "320",
  LIMIT_EXCEEDED: "305, 319, 325",
  NETWORK_ERROR: "321",
  CONFIGURATION: "316",
  DUPLICATE: "307",
};
const TECHNICAL = "321";

const COMMON = {
  reasons: [{ at: ["/status_code"], table: REASONS, technical: TECHNICAL }],
  amount: [{ at: ["/amount"], unit: "major" }],
  currency: { at: ["/currency"] },
  merchant: { at: ["/merchant_name", "/description_merchant"] },
  country: { at: ["/country"] },
  time: { at: ["/approved_date", "/created_date"] },
  metadata: { reason_text: ["/status_detail"], order: ["/order_id", "/description"] },
} as const satisfies Partial<Rule>;

const PAYMENT: Rule = {
  ...COMMON,
  name: "payment",
  common: true,
  when: [{ at: "/status_code" }, { at: "/id", is: "d-*, t-*, pay-*, auth-*, r-*, f-*" }, { at: "/status" }],
  status: [
    {
      by: ["/status", "/status_code"],
      outcomes: {
        APPROVED: "paid/200, authorized/600, verified/700, completed/200, captured/200",
        PENDING: "pending/100, pending/101, authorized/100",
        DECLINED: "rejected/3*",
        "FAILED undoes APPROVED": "cancelled/4*, expired/*",
        REFUNDED: "refunded/*",
        CHARGEBACK: "charged_back/*, chargeback/*",
      },
    },
  ],
  id: { object: ["/id"], version: ["/status", "/status_code", "/approved_date", "/created_date"] },
};

const STATUSES = {
  APPROVED: "paid, authorized, verified, completed",
  PENDING: "pending",
  DECLINED: "rejected",
  "FAILED undoes APPROVED": "cancelled, expired",
  REFUNDED: "refunded",
  CHARGEBACK: "charged_back, chargeback",
};

const WITHOUT_CODE: Rule = {
  ...PAYMENT,
  name: "payment_without_code",
  when: [
    { at: "/payment_method_flow" },
    { at: "/id" },
    { at: "/status" },
    { at: "/status_code", absent: true },
  ],
  status: [
    {
      by: ["/status"],
      outcomes: STATUSES,
    },
  ],
};

/** `REF-…`: code 200 says that the refund went well, not the payment. */
const REFUND: Rule = {
  ...COMMON,
  name: "refund",
  common: true,
  when: [{ at: "/id", is: "ref-*" }, { at: "/status" }],
  status: [
    {
      by: ["/status"],
      outcomes: {
        REFUNDED: "success, completed",
        PENDING: "pending",
        "FAILED undoes REFUNDED": "rejected, failed, cancelled",
      },
    },
  ],
  id: { object: ["/id"], version: ["/status", "/status_code", "/created_date"] },
  payment: [{ at: ["/payment_id"] }],
};

const CHARGEBACK: Rule = {
  ...COMMON,
  name: "chargeback",
  common: true,
  when: [{ at: "/id", is: "char-*" }, { at: "/status" }],
  status: [
    {
      by: ["/status"],
      outcomes: {
        CHARGEBACK:
          "pending, created, completed, processing, in_process, lost, accepted, success, under_review, settled, open, defended",
        "CHARGEBACK undoes CHARGEBACK": "won, reversed, cancelled, rejected, recovered",
      },
    },
  ],
  reasons: [],
  id: { object: ["/id"], version: ["/status", "/status_code", "/created_date"] },
  payment: [{ at: ["/payment_id"] }],
};

/** An answer of the API that refuses the request itself. */
const ERROR: Rule = {
  name: "error",
  when: [{ at: "/code", is: "3*, 4*, 5*, 6*, 7*" }, { at: "/message" }, { at: "/status", absent: true }],
  hinted: true,
  status: [{ by: ["/code"], outcomes: { FAILED: "3*, 4*, 5*, 6*, 7*" } }],
  reasons: [
    {
      at: ["/code"],
      table: {
        CONFIGURATION: "3*, 4*, 5000, 5001, 5002, 5003, 5004, 5005, 5006, 5010",
        DUPLICATE: "5007",
        LIMIT_EXCEEDED: "5014, 5016",
        NETWORK_ERROR: "7*",
      },
    },
  ],
  id: { object: ["/payment_id", "/id"], version: ["/code"] },
  metadata: { reason_text: ["/message"] },
};

export const DLOCAL: ProviderRules = {
  provider: "dlocal",
  rules: [
    PAYMENT,
    WITHOUT_CODE,
    REFUND,
    CHARGEBACK,
    ERROR,
    ...flatRules({ unit: "major", outcomes: STATUSES, reasons: { table: REASONS, technical: TECHNICAL } }),
  ],
};
