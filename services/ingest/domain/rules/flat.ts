import type { ReasonPlace, Rule, StatusTable, Unit } from "../rule.js";

/** Statuses that mean the same with whoever uses them. */
const PLAIN_STATUSES: StatusTable["outcomes"] = {
  APPROVED:
    "approved, succeeded, success, successful, paid, completed, captured, authorized, authorised, settled",
  PENDING: "pending, processing, in_process, in process, waiting, initiated",
  DECLINED: "declined, rejected, refused, denied",
  FAILED: "failed, failure, error, cancelled, canceled, expired, voided",
  REFUNDED: "refunded",
  CHARGEBACK: "chargeback, charged_back, charged back",
};

export interface FlatOptions {
  /** What the provider's API counts amounts in. */
  readonly unit: Unit;
  /** Its own statuses, asked before those that are plain words. */
  readonly outcomes?: StatusTable["outcomes"];
  readonly reasons?: Pick<ReasonPlace, "table" | "pad">;
  readonly zone?: string;
}

const STATUS = ["status", "st", "state", "payment_status", "result", "estado"];
const REASON = [
  "reason",
  "failure_reason",
  "decline_code",
  "failure_code",
  "reason_code",
  "response_code",
  "error_code",
  "status_detail",
];

/**
 * A flat record with plain names, as integrators make of a provider's events: known by the hint alone, with the provider's unit,
 * decimals and tables.
 */
export function flatRules({ unit, outcomes, reasons, zone }: FlatOptions): Rule[] {
  return STATUS.map((status) => ({
    name: "flat",
    format: "any",
    hinted: true,
    when: [{ at: `/${status}` }, { at: "/data", absent: true }],
    status: [
      ...(outcomes === undefined ? [] : [{ by: [`/${status}`], outcomes }]),
      { by: [`/${status}`], outcomes: PLAIN_STATUSES },
    ],
    reasons: reasons === undefined ? [] : [{ at: REASON.map((name) => `/${name}`), ...reasons }],
    amount: [
      { at: ["/amount_in_cents", "/amount_cents"], unit: "cents" },
      {
        at: ["/amount", "/amt", "/value", "/total", "/transaction_amount", "/monto"],
        unit,
        pointMeansMajor: true,
      },
    ],
    currency: { at: ["/currency", "/cur", "/ccy", "/currency_code", "/currency_id", "/curr", "/moneda"] },
    merchant: { at: ["/merchant_name", "/merchant/name", "/merchant", "/merch", "/comercio"] },
    country: { at: ["/merchant_country", "/merchant/country", "/country", "/ctry", "/pais"] },
    time: {
      at: ["/created_at", "/created", "/timestamp", "/date", "/ts", "/date_created", "/fecha"],
      ...(zone === undefined ? {} : { zone }),
    },
    id: {
      notification: ["/event_id"],
      object: ["/id", "/transaction_id", "/payment_id", "/txn_id", "/tx_id", "/reference", "/ref"],
      version: [`/${status}`, "/updated_at", "/created_at", "/created", "/timestamp"],
    },
    payment: [{ at: ["/payment_id", "/payment_ref", "/payment_intent"] }],
  }));
}
