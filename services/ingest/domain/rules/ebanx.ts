import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";
import { DE39_REASONS } from "./iso8583_reasons.js";

/** Codes of EBANX itself, where the acquirer's `iso_code` is missing. */
const REASONS: ReasonTable = {
  CONFIGURATION: "da-1, bp-dr-13, bp-dr-22, bp-dr-23",
  FRAUD_SUSPECTED: "bp-dr-6, nok-fraud, fraud",
  INVALID_CARD: "bp-dr-75, bp-dr-49, bp-dr-51",
};

/** CA covers declined, expired and cancelled: only the acquirer's NOK tells a decline. */
const STATUS: Rule["status"] = [
  {
    by: ["./status", "./transaction_status/code"],
    outcomes: {
      APPROVED: "co/ok|",
      PENDING: "op|pe/*",
      DECLINED: "ca/nok|da-1|bp-*",
      FAILED: "ca/, ca/ok, er/*",
    },
  },
];

/** `./` is the payment. A price and what was charged stand beside each other; the price is the merchant's. */
const PAYMENT = {
  reasons: [
    {
      at: ["./transaction_status/iso_code", "./transaction_status/iso8583_code"],
      table: DE39_REASONS,
      pad: 2,
    },
    { at: ["./transaction_status/code"], table: REASONS },
  ],
  amount: [
    { for: "REFUNDED", at: ["./refunds/-1/amount_ext"], unit: "major" },
    { for: "CHARGEBACK", at: ["./chargeback/amount_ext", "./chargeback/amount"], unit: "major" },
    { at: ["./amount_ext"], unit: "major" },
  ],
  currency: { at: ["./currency_ext"] },
  country: { at: ["./country"] },
  time: { at: ["./status_date", "./confirm_date", "./open_date"] },
  id: { object: ["./hash"], version: ["./refunds/-1/id", "./chargeback/hash"] },
  metadata: { reason_text: ["./transaction_status/description"], order: ["./merchant_payment_code"] },
} as const satisfies Partial<Rule>;

const FULL: Rule = {
  ...PAYMENT,
  name: "payment",
  when: [{ at: "/payment/hash" }, { at: "/payment/status" }],
  each: ["/payment"],
  status: [
    { by: ["./chargeback/hash"], outcomes: { CHARGEBACK: "*" } },
    { by: ["./refunds/-1/status"], exceptions: true, outcomes: { REFUNDED: "co" } },
    ...STATUS,
  ],
};

/** What a refund's request answers: RE is requested, CO done. */
const REFUND: Rule = {
  ...PAYMENT,
  name: "refund",
  when: [{ at: "/refund" }, { at: "/payment/hash" }, { at: "/refund/status" }],
  each: ["/payment"],
  status: [{ by: ["/refund/status"], outcomes: { REFUNDED: "co", PENDING: "re, pe", FAILED: "ca" } }],
  amount: [{ at: ["/refund/amount_ext"], unit: "major" }],
  id: { object: ["/refund/id", "./hash"], version: ["/refund/status"] },
  payment: [{ at: ["./hash"] }],
};

/** A form, or JSON of the same names: hashes alone. */
const NOTICE: Rule = {
  name: "notice",
  format: "any",
  when: [{ at: "/hash_codes" }, { at: "/notification_type" }],
  status: [
    {
      by: ["/notification_type"],
      outcomes: { NEEDS_FETCH: "update, refund", CHARGEBACK: "chargeback", NOT_A_PAYMENT: "ping, test" },
    },
  ],
  id: { object: ["/hash_codes"], version: ["/operation", "/notification_type"] },
};

/** A request that was refused: no payment came of it. */
const ERROR: Rule = {
  name: "error",
  common: true,
  when: [{ at: "/status_code" }, { at: "/status_message" }, { at: "/status", is: "error" }],
  status: [{ by: ["/status"], outcomes: { FAILED: "error" } }],
  reasons: [{ at: ["/status_code"], table: REASONS }],
  id: { object: ["/payment/hash"], version: ["/status_code"] },
  metadata: { reason_text: ["/status_message"] },
};

/** The report's own letters: RE is requested, not refunded. */
const REPORT: Rule = {
  name: "report",
  format: "csv",
  when: [{ at: "/payment_hash" }, { at: "/status" }],
  status: [{ by: ["/status"], outcomes: { APPROVED: "pa, co", PENDING: "re, pe, op", FAILED: "np, ca" } }],
  amount: [{ at: ["/amount", "/amount_ext"], unit: "major", notation: "any" }],
  currency: { at: ["/currency", "/currency_ext"] },
  country: { at: ["/country"] },
  time: { at: ["/requested_date", "/paid", "/date"] },
  id: { object: ["/payment_hash"], version: ["/status"] },
  metadata: { order: ["/merchant_payment_code"], api_status: ["/api_status"] },
};

export const EBANX: ProviderRules = {
  provider: "ebanx",
  rules: [
    FULL,
    REFUND,
    NOTICE,
    ERROR,
    REPORT,
    ...flatRules({
      unit: "major",
      outcomes: { APPROVED: "co", PENDING: "op, pe", FAILED: "ca" },
      reasons: { table: DE39_REASONS, pad: 2 },
    }),
  ],
};
