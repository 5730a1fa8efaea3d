import { parseAmount } from "../../../lib/domain/money.js";
import type { Awaiting, Payment, Reason, Standing, State } from "./payment.js";

/** What is told of a payment. Amounts are decimal texts, as they came. */
export type Fact =
  | { readonly kind: "checked"; readonly approved: boolean }
  | {
      readonly kind: "answered";
      readonly approved: boolean;
      readonly reason: "success" | "insufficient_funds" | "unknown_wallet" | "cancelled";
      readonly amount: string;
      readonly customerId: string;
    }
  /** `total` went back so far, which proves that there was a debit. */
  | { readonly kind: "refunded"; readonly total: string }
  /** Nobody decided in time. */
  | { readonly kind: "expired" };

export type Decision =
  | { readonly kind: "move"; readonly to: Standing }
  /** It came early or late, or contradicts what is known: recorded, never applied. */
  | { readonly kind: "illegal"; readonly reason: string; readonly remedy?: Remedy };

/** What follows from an event that is not applied: the wallet is asked again what it did, or for the money back. */
export type Remedy = "ask" | "refund";

/**
 * What comes of a fact that was told on another timeline of the database: before a restore to an earlier time, or a failover. The
 * wallet may not remember it any more. A pending payment's command is sent again anyway.
 */
export function distrust({ state }: Payment, fact: Fact): Decision {
  const money =
    fact.kind === "refunded" || (fact.kind === "answered" && fact.approved && state === "DECLINED");
  return illegal(
    "told on another timeline of the database",
    money && state !== "PENDING" ? "ask" : undefined,
  );
}

/**
 * What a fact makes of a payment. All rules of the saga are here; SQL only compares and sets.
 *
 * @throws CoreError AMOUNT_INVALID for an amount that is none of the payment's currency
 */
export function decide(payment: Payment, fact: Fact): Decision {
  switch (fact.kind) {
    case "checked":
      return payment.awaiting === "check"
        ? { kind: "move", to: checked(fact.approved) }
        : illegal(`${fact.approved ? "approved" : "declined"} by a check after another one`);
    case "answered":
      return decideAnswered(payment, fact);
    case "refunded":
      return decideRefunded(payment, parseAmount(fact.total, payment.currency));
    default:
      return payment.state === "PENDING"
        ? { kind: "move", to: declined("timed_out") }
        : illegal("given up after it was decided");
  }
}

function decideAnswered(payment: Payment, fact: Extract<Fact, { kind: "answered" }>): Decision {
  const { state, awaiting, amount, currency, customerId } = payment;
  if (fact.customerId !== customerId) {
    return illegal("an answer for another customer");
  }
  if (parseAmount(fact.amount, currency) !== amount) {
    return illegal("an answer for another amount");
  }
  if (awaiting === "debit") {
    return { kind: "move", to: answered(fact) };
  }
  const what = fact.approved ? "debited" : `not debited (${fact.reason})`;
  if (state === "PENDING") {
    return illegal(`${what} before its check`);
  }
  // Nobody keeps money for what was declined.
  const remedy = fact.approved && state === "DECLINED" ? "refund" : undefined;
  return illegal(`${what} after it was ${state}`, remedy);
}

function decideRefunded({ state, reason, amount, refunded }: Payment, total: bigint): Decision {
  if (total > amount) {
    return illegal("more refunded than was paid");
  }
  if (total <= refunded) {
    return illegal("no more refunded than is known");
  }
  const to = total === amount ? "REFUNDED" : "PARTIALLY_REFUNDED";
  // Declined stays declined: it was given up, and debited all the same.
  return {
    kind: "move",
    to: { state: state === "DECLINED" ? state : to, awaiting: null, reason, refunded: total },
  };
}

/** Where a fact usually meets its payment, and what comes of it: so that it takes one statement, and no look before. */
export interface Usual {
  readonly from: { readonly state: State; readonly awaiting: Awaiting };
  readonly to: Standing;
  /** Minor units as the payment should have them; null: not told. */
  readonly amount: bigint | null;
  /** Digits after the point that its currency should have, for `amount` to be in its minor units. */
  readonly minorDigits: number | null;
  readonly customerId: string | null;
}

/** At most 18 digits, so that a column of type bigint holds them. */
const PLAIN = /^(0|[1-9]\d{0,13})(?:\.(\d{2,4}))?$/;

/** Undefined: one has to look at the payment first. Otherwise `decide` says the same of a payment that is as `Usual` says. */
export function usual(fact: Fact): Usual | undefined {
  if (fact.kind === "checked") {
    const from = { state: "PENDING", awaiting: "check" } as const;
    return { from, to: checked(fact.approved), amount: null, minorDigits: null, customerId: null };
  }
  const amount = fact.kind === "answered" ? PLAIN.exec(fact.amount) : null;
  if (fact.kind !== "answered" || amount === null) {
    return undefined;
  }
  // With all digits of its currency an amount is its minor units but for the point.
  const [, whole, fraction = ""] = amount;
  return {
    from: { state: "PENDING", awaiting: "debit" },
    to: answered(fact),
    amount: BigInt(whole + fraction),
    minorDigits: fraction.length,
    customerId: fact.customerId,
  };
}

const illegal = (reason: string, remedy?: Remedy): Decision => ({
  kind: "illegal",
  reason,
  ...(remedy === undefined ? {} : { remedy }),
});

const declined = (reason: Reason): Standing => ({ state: "DECLINED", awaiting: null, reason, refunded: 0n });

const checked = (approved: boolean): Standing =>
  approved ? { state: "PENDING", awaiting: "debit", reason: null, refunded: 0n } : declined("fraud_detected");

function answered({ approved, reason }: Extract<Fact, { kind: "answered" }>): Standing {
  if (approved) {
    return { state: "APPROVED", awaiting: null, reason: null, refunded: 0n };
  }
  // Cancelled is what the wallet says of a payment that was given up.
  return declined(reason === "insufficient_funds" || reason === "unknown_wallet" ? reason : "timed_out");
}
