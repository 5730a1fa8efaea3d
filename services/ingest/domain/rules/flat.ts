import type { Path } from "../path.js";
import type { ReasonPlace, Rule, StatusTable, Unit } from "../rule.js";

/** Statuses that mean the same with whoever uses them. */
const PLAIN_STATUSES: StatusTable["outcomes"] = {
  APPROVED:
    "approved, succeeded, success, successful, paid, completed, captured, authorized, authorised, settled",
  PENDING: "pending, processing, in_process, in process, waiting, initiated",
  DECLINED: "declined, rejected, refused, denied",
  FAILED: "failed, failure, error",
  "FAILED undoes APPROVED": "cancelled, canceled, expired, voided",
  REFUNDED: "refunded",
  CHARGEBACK: "chargeback, charged_back, charged back",
};

export interface FlatOptions {
  /** What the provider's API counts amounts in. */
  readonly unit: Unit;
  /** Its own statuses, asked before those that are plain words. */
  readonly outcomes?: StatusTable["outcomes"];
  /** Tables of its own for the status at a path, where it takes more than one text. Asked first. */
  readonly tables?: (status: Path) => readonly StatusTable[];
  readonly reasons?: Pick<ReasonPlace, "table" | "pad" | "technical">;
  readonly zone?: string;
}

const STATUS = ["status", "st", "state", "payment_status", "result", "estado"];
export const FLAT_REASONS = [
  "reason",
  "failure_reason",
  "decline_code",
  "failure_code",
  "reason_code",
  "response_code",
  "error_code",
  "status_detail",
  "status_code",
];

/** Marks of what is no payment, or not one alone: refunds, payouts, objects of an API. */
const OTHERS = [
  "data",
  "object",
  "refund_id",
  "refund_status",
  "refund_amount",
  "refunds",
  "payout_id",
  "arrival_date",
  "dispute_id",
].map((name) => `/${name}`);

/** Kinds of which a status says how they went, and not how the payment did. */
const OTHER_KINDS =
  "refund*, reembolso*, devolucion*, devolución*, estorno*, void*, revers*, cancel*, anulacion*, credit, payout*, transfer*, withdraw*, " +
  "dispute*, chargeback*, charge.refund*, charge.dispute*, payment.refund*, payment_refund*, setup*, customer*, subscription*, fee*, adjustment*";
const KINDS = ["/type", "/kind", "/event", "/event_type", "/transaction_type", "/operation"];

/** A refund has an id of its own beside that of its payment. */
const WHOSE = [
  [{ at: "/payment_id", absent: true }],
  [{ at: "/payment_id" }, { at: "/id", absent: true }],
] as const;

/**
 * A flat record with plain names, as integrators make of a provider's events: known by the hint alone, with the provider's unit,
 * decimals and tables.
 */
export function flatRules({ unit, outcomes, tables, reasons, zone }: FlatOptions): Rule[] {
  return STATUS.flatMap((status) =>
    WHOSE.map((whose) => ({
      name: "flat",
      format: "any",
      hinted: true,
      flat: true,
      when: [
        { at: `/${status}` },
        { at: OTHERS, absent: true },
        { at: "/refunded", is: "true", absent: true },
        { at: KINDS, is: OTHER_KINDS, absent: true },
        ...whose,
      ],
      status: [
        ...(tables?.(`/${status}`) ?? []),
        ...(outcomes === undefined ? [] : [{ by: [`/${status}`], exceptions: true as const, outcomes }]),
        { by: [`/${status}`], outcomes: PLAIN_STATUSES },
      ],
      reasons:
        reasons === undefined
          ? []
          : [
              {
                at: [
                  ...FLAT_REASONS.map((name) => `/${name}`),
                  ...(tables === undefined ? [] : [`/${status}`]),
                ],
                ...reasons,
              },
            ],
      amount: [
        { at: ["/amount_in_cents", "/amount_cents"], unit: "cents" },
        {
          at: ["/amount", "/amt", "/value", "/total", "/transaction_amount", "/monto"],
          unit,
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
    })),
  );
}
