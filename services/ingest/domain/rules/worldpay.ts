import type { ProviderRules, ReasonPlace, Rule } from "../rule.js";
import { flatRules } from "./flat.js";
import { DE39_REASONS } from "./iso8583_reasons.js";

/** What became of a payment. The journal books it while the payment still says CAPTURED. */
const AFTERWARDS = {
  "FAILED undoes REFUNDED": "refund_failed, refund_expired, refund_reversed",
  REFUNDED: "refunded, refunded_by_merchant, partially_refunded, push_approved",
  CHARGEBACK: "charged_back, chargeback",
  "APPROVED undoes CHARGEBACK": "chargeback_reversed",
};

const LAST_EVENTS = {
  APPROVED:
    "authorised, captured, settled, settled_by_merchant, captured_by_merchant, authorised_by_merchant, capture_approved",
  PENDING:
    "sent_for_authorisation, sent_for_refund, shopper_redirected, sent_for_approval, signed_form_received, information_requested, " +
    "information_supplied, pending, open, push_requested, push_pending, refund_webform_issued",
  DECLINED: "refused, push_refused",
  FAILED: "error, push_error, refused_by_bank_of_merchant",
  "FAILED undoes APPROVED": "expired, cancelled, capture_failed",
  ...AFTERWARDS,
  NOT_A_PAYMENT: "request_for_information, dispute_reserve_*",
};

const REASONS: ReasonPlace = {
  at: ["./ISO8583ReturnCode/@code", "./IssuerResponseCode/@code", "./issuerResponseCode"],
  table: DE39_REASONS,
  pad: 2,
};

const BOOKED = "../journal/bookingDate/date";
const dayOf = (date: string) => ["@year", "@month", "@dayOfMonth"].map((part) => `${date}/${part}`);
const clockOf = (date: string) => ["@hour", "@minute", "@second"].map((part) => `${date}/${part}`);

/** `./` is the payment of an order; with several modifications the journal tells which one this is about. */
const PAYMENT = {
  format: "xml",
  status: [
    { by: ["../journal/@journalType"], exceptions: true, outcomes: AFTERWARDS },
    { by: ["./lastEvent"], outcomes: LAST_EVENTS },
    { by: ["../journal/@journalType"], outcomes: LAST_EVENTS },
  ],
  reasons: [REASONS],
  amount: [
    {
      at: ["../journal/accountTx/amount/@value"],
      unit: "minor",
      exponent: "../journal/accountTx/amount/@exponent",
    },
    { at: ["./amount/@value"], unit: "minor", exponent: "./amount/@exponent" },
  ],
  currency: { at: ["../journal/accountTx/amount/@currencyCode", "./amount/@currencyCode"] },
  merchant: { at: ["/paymentService/@merchantCode"] },
  time: {
    at: [
      ...["../date", "./date"].map((date) => [...dayOf(date), ...clockOf(date)]),
      [...dayOf(BOOKED), ...clockOf(BOOKED)],
      dayOf(BOOKED),
    ],
  },
  id: { object: ["../@orderCode"], version: [] },
  metadata: {
    reason_text: ["./ISO8583ReturnCode/@description", "./IssuerResponseCode/@description"],
    payment_method: ["./paymentMethod"],
  },
} as const satisfies Partial<Rule>;

const REPLY: Rule = {
  ...PAYMENT,
  name: "reply",
  when: [{ at: "/paymentService/reply/orderStatus" }],
  each: ["/paymentService/reply/orderStatus", "./payment"],
  status: [...PAYMENT.status, { by: ["../error/@code"], outcomes: { FAILED: "*" } }],
};

const NOTIFICATION: Rule = {
  ...PAYMENT,
  name: "notification",
  when: [{ at: "/paymentService/notify/orderStatusEvent" }],
  each: ["/paymentService/notify/orderStatusEvent", "./payment"],
};

/** An error of a request: an order may be named, a payment is not. */
const ERROR: Rule = {
  name: "error",
  format: "xml",
  when: [{ at: "/paymentService/reply/error" }],
  status: [{ by: ["/paymentService/reply/error/@code"], outcomes: { FAILED: "*" } }],
  reasons: [
    {
      at: ["/paymentService/reply/error/@code"],
      table: { CONFIGURATION: "2, 4, 5, 7", NETWORK_ERROR: "1, 3" },
    },
  ],
  id: { object: [], version: [] },
};

/** A modification's acknowledgement: it was received, no more. */
const ACKNOWLEDGED: Rule = {
  name: "acknowledged",
  format: "xml",
  when: [{ at: "/paymentService/reply/ok" }],
  each: ["/paymentService/reply/ok"],
  status: [
    { by: ["./refundReceived/@orderCode"], outcomes: { PENDING: "*" } },
    { by: ["./captureReceived/@orderCode"], outcomes: { PENDING: "*" } },
    { by: ["./cancelReceived/@orderCode"], outcomes: { PENDING: "*" } },
  ],
  amount: [
    {
      at: ["./refundReceived/amount/@value", "./captureReceived/amount/@value"],
      unit: "minor",
      exponent: "./refundReceived/amount/@exponent",
    },
  ],
  currency: { at: ["./refundReceived/amount/@currencyCode", "./captureReceived/amount/@currencyCode"] },
  merchant: { at: ["/paymentService/@merchantCode"] },
  id: {
    object: ["./refundReceived/@orderCode", "./captureReceived/@orderCode", "./cancelReceived/@orderCode"],
    version: ["./refundReceived/@orderCode", "./captureReceived/@orderCode"],
  },
};

/** Access Worldpay. */
const ACCESS: Rule = {
  name: "access_event",
  when: [{ at: "/eventDetails/type" }, { at: "/eventId" }],
  status: [
    {
      by: ["/eventDetails/type"],
      outcomes: {
        APPROVED: "authorized, sentforsettlement, settled, settlementsucceeded",
        PENDING: "sentforauthorization, sentforrefund, authorizationtimeout, settlementpending",
        DECLINED: "refused",
        FAILED: "error, settlementfailed, settlementrejected, authorizationfailed",
        "FAILED undoes APPROVED": "expired, cancelled, sentforcancellation",
        "FAILED undoes REFUNDED": "refundfailed",
        REFUNDED: "refunded",
        CHARGEBACK: "chargedback, disputed",
        "APPROVED undoes CHARGEBACK": "chargebackreversed",
      },
    },
  ],
  reasons: [{ at: ["/eventDetails/refusalCode", "/eventDetails/reasonCode"], table: DE39_REASONS, pad: 2 }],
  amount: [{ at: ["/eventDetails/amount/value"], unit: "minor" }],
  currency: { at: ["/eventDetails/amount/currencyCode", "/eventDetails/amount/currency"] },
  merchant: { at: ["/eventDetails/merchant/entity"] },
  time: { at: ["/eventTimestamp", "/eventDetails/date"], zone: "UTC" },
  id: {
    notification: ["/eventId"],
    object: ["/eventDetails/transactionReference"],
    version: ["/eventDetails/type"],
  },
  payment: [{ at: ["/eventDetails/transactionReference"] }],
  metadata: {
    reason_text: ["/eventDetails/refusalDescription"],
    order: ["/eventDetails/transactionReference"],
  },
};

/** What the Payments API of Access answers. */
const ACCESS_ANSWER: Rule = {
  name: "access_answer",
  common: true,
  when: [{ at: "/outcome" }, { at: "/transactionReference" }],
  status: [
    {
      by: ["/outcome"],
      outcomes: {
        APPROVED: "authorized, sentforsettlement, captured",
        PENDING:
          "sentforcancellation, sentforrefund, sentforpartialrefund, 3dsdevicedatarequired, 3dschallenged",
        DECLINED: "refused, fraudhighrisk",
        "DECLINED 3DS_FAILED": "3dsauthenticationfailed, 3dsunavailable",
      },
    },
  ],
  reasons: [{ at: ["/refusalCode"], table: DE39_REASONS, pad: 2 }],
  id: { object: ["/transactionReference"], version: ["/outcome"] },
  metadata: { reason_text: ["/refusalDescription"] },
};

export const WORLDPAY: ProviderRules = {
  provider: "worldpay",
  aliases: ["worldpay_access", "access_worldpay", "wpg"],
  rules: [
    REPLY,
    NOTIFICATION,
    ERROR,
    ACKNOWLEDGED,
    ACCESS,
    ACCESS_ANSWER,
    ...flatRules({ unit: "minor", outcomes: LAST_EVENTS, reasons: { table: DE39_REASONS, pad: 2 } }),
  ],
};
