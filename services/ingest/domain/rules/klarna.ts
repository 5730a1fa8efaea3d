import type { ProviderRules, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

const ORDER: Rule = {
  name: "order",
  when: [{ at: "/order_amount" }, { at: "/purchase_currency" }, { at: "/order_id" }, { at: "/status" }],
  status: [
    {
      // A full refund leaves CAPTURED: the amounts tell it, so what was refunded decides.
      by: ["/refunds/-1/refund_id"],
      outcomes: { REFUNDED: "*" },
    },
    {
      by: ["/status", "/fraud_status"],
      outcomes: {
        "DECLINED FRAUD_SUSPECTED": "authorized|part_captured|captured|cancelled|expired|closed/rejected",
        PENDING: "authorized/pending, checkout_incomplete/*",
        APPROVED:
          "authorized|part_captured|captured/accepted|, checkout_complete/*, closed/accepted|, part_captured|captured/pending",
        "FAILED undoes APPROVED": "cancelled|expired/accepted||pending",
      },
    },
  ],
  amount: [
    { for: "REFUNDED", at: ["/refunds/-1/refunded_amount", "/refunded_amount"], unit: "minor" },
    { at: ["/order_amount"], unit: "minor" },
  ],
  currency: { at: ["/purchase_currency"] },
  merchant: { at: ["/merchant_name"] },
  time: { at: ["/last_updated_at", "/created_at"] },
  id: {
    object: ["/order_id"],
    version: ["/status", "/fraud_status", "/refunded_amount", "/last_updated_at"],
  },
  metadata: {
    order: ["/merchant_reference1", "/klarna_reference"],
    purchase_country: ["/purchase_country"],
    refunded_amount: ["/refunded_amount"],
  },
};

/** Status CAPTURED with all of it refunded, in the list that has no refunds in it. */
const REFUNDED: Rule = {
  ...ORDER,
  name: "refunded_order",
  when: [...ORDER.when, { at: "/refunded_amount" }, { at: "/refunded_amount", is: "0", absent: true }],
  status: [
    {
      by: ["/status"],
      exceptions: true,
      outcomes: { REFUNDED: "captured, part_captured, closed, cancelled" },
    },
    ...ORDER.status,
  ],
};

/** The fraud status of an order, with nothing else. */
const FRAUD: Rule = {
  name: "fraud_event",
  when: [{ at: "/event_type", is: "fraud_*" }, { at: "/order_id" }],
  status: [
    {
      by: ["/event_type"],
      outcomes: {
        APPROVED: "fraud_risk_accepted",
        "DECLINED FRAUD_SUSPECTED": "fraud_risk_rejected",
        "FAILED undoes APPROVED": "fraud_risk_stopped",
      },
    },
  ],
  id: { object: ["/order_id"], version: ["/event_type"] },
};

/** A push: a pointer. */
const PUSH: Rule = {
  name: "push",
  format: "any",
  hinted: true,
  when: [{ at: "/order_id" }, { at: "/event_type", absent: true }, { at: "/status", absent: true }],
  status: [{ by: ["/order_id"], outcomes: { NEEDS_FETCH: "*" } }],
  id: { object: ["/order_id"], version: [] },
};

const PUSH_FORM: Rule = {
  ...PUSH,
  name: "push_form",
  when: [{ at: "/klarna_order_id" }, { at: "/status", absent: true }],
  status: [{ by: ["/klarna_order_id"], outcomes: { NEEDS_FETCH: "*" } }],
  id: { object: ["/klarna_order_id"], version: [] },
};

export const KLARNA: ProviderRules = {
  provider: "klarna",
  rules: [
    ORDER,
    REFUNDED,
    FRAUD,
    PUSH,
    PUSH_FORM,
    ...flatRules({ unit: "minor", outcomes: { APPROVED: "part_captured", FAILED: "closed" } }),
  ],
};
