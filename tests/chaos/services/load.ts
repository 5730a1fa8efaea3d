import { formatAmount, minorDigitsOf } from "../../../lib/domain/money.js";
import { Dice } from "../schedule.js";

/** What is to become of a customer's payments, whatever happens on the way; any of them may time out instead. */
export type Fate =
  | "approved"
  /** Holds less than is asked for: some are approved, some declined. */
  | "either"
  | "fraud_detected"
  | "insufficient_funds"
  | "unknown_wallet"
  /** Debited, but no update of the payment succeeds: given up and refunded. */
  | "timed_out";

export interface Customer {
  readonly id: string;
  readonly currency: string;
  readonly fate: Exclude<Fate, "fraud_detected">;
  /** In the wallet at first, in minor units; undefined where there is no wallet. */
  readonly funds: bigint | undefined;
}

/** A payment that somebody wants, and how they ask. */
export interface Order {
  readonly number: number;
  readonly customer: Customer;
  readonly fate: Fate;
  /** In minor units. */
  readonly amount: bigint;
  /** Idempotency-Key; without one the reference tells a repetition. */
  readonly key: string | undefined;
  readonly reference: string | undefined;
  /** Asked for twice at once. */
  readonly twice: boolean;
  /** Given back later: `part` in minor units, or all of it. */
  readonly refund:
    | { readonly id: string; readonly part: bigint | undefined; readonly afterMs: number }
    | undefined;
}

export interface Load {
  readonly customers: readonly Customer[];
  /** The order of that number; a pure function of the seed. */
  readonly order: (number: number) => Order;
}

/** Odd, so that no rule of fraud-service finds them round; 5.01 to 300.97 of a currency of two digits. */
const AMOUNT = [501, 30_097] as const;
const FRAUDULENT_MAJOR: Readonly<Record<string, bigint>> = { USD: 20_000n, EUR: 20_000n, JPY: 3_000_000n };
/** Enough for any load. */
const RICH_MAJOR = 1_000_000_000n;
/** Enough for two payments. */
const TIGHT_MAJOR: Readonly<Record<string, bigint>> = { USD: 310n, EUR: 310n, JPY: 31_000n };

/** How many customers of each kind there are, and which share of all orders is theirs, in percent. */
const KINDS: readonly { fate: Customer["fate"]; name: string; count: number; share: number }[] = [
  { fate: "approved", name: "hot", count: 3, share: 30 },
  { fate: "approved", name: "rich", count: 60, share: 50 },
  { fate: "either", name: "tight", count: 8, share: 8 },
  { fate: "insufficient_funds", name: "poor", count: 10, share: 6 },
  { fate: "unknown_wallet", name: "stranger", count: 3, share: 4 },
  { fate: "timed_out", name: "stuck", count: 5, share: 2 },
];
/** In percent of all orders that are not stuck, whoever's they are. */
const FRAUD_SHARE = 6;
// Many, because nobody repeats a refund that got lost: these are what shows it.
const REFUND_SHARE = 50;

export const STUCK_PREFIX = "stuck-";

/**
 * A pure function of its options.
 *
 * @param stuck whether there are customers whose payments no update brings to APPROVED; else none is to time out
 */
export function loadOf({ seed, stuck }: { readonly seed: number; readonly stuck: boolean }): Load {
  const customers = KINDS.map((kind) =>
    Array.from({ length: kind.count }, (_, i) =>
      customerOf(!stuck && kind.fate === "timed_out" ? { ...kind, fate: "approved" } : kind, i),
    ),
  );
  return { customers: customers.flat(), order: (number) => orderOf(seed, number, customers) };
}

function customerOf({ fate, name }: (typeof KINDS)[number], i: number): Customer {
  const currency = (["USD", "EUR", "USD", "JPY"] as const)[i % 4] as string;
  const unit = 10n ** BigInt(minorDigitsOf(currency));
  const funds = {
    approved: RICH_MAJOR * unit,
    timed_out: RICH_MAJOR * unit,
    either: (TIGHT_MAJOR[currency] as bigint) * unit,
    insufficient_funds: 0n,
    unknown_wallet: undefined,
  };
  return { id: `${name}-${i}`, currency, fate, funds: funds[fate] };
}

function orderOf(seed: number, number: number, customers: readonly Customer[][]): Order {
  const dice = new Dice(seed, `order ${number}`);
  const customer = dice.pick(customers[kindOf(dice.between(1, 100))] as Customer[]);
  const fraud = customer.fate !== "timed_out" && dice.between(1, 100) <= FRAUD_SHARE;
  const minor = BigInt(dice.between(...AMOUNT) | 1);
  const amount = fraud
    ? (FRAUDULENT_MAJOR[customer.currency] as bigint) * 10n ** BigInt(minorDigitsOf(customer.currency)) +
      minor
    : minor;
  const name = `${seed}-${number}`;
  const identity = dice.between(1, 10);
  const refunded = customer.fate !== "timed_out" && dice.between(1, 100) <= REFUND_SHARE;
  return {
    number,
    customer,
    fate: fraud ? "fraud_detected" : customer.fate,
    amount,
    key: identity <= 8 ? name : undefined,
    reference: identity > 5 ? name : undefined,
    twice: dice.between(1, 20) === 1,
    refund: refunded
      ? {
          id: name,
          part: dice.between(0, 1) === 0 ? undefined : (amount * BigInt(dice.between(1, 99))) / 100n || 1n,
          afterMs: dice.between(50, 8_000),
        }
      : undefined,
  };
}

/** @param percent 1 to 100 */
function kindOf(percent: number): number {
  let left = percent;
  return KINDS.findIndex(({ share }) => {
    left -= share;
    return left <= 0;
  });
}

/** The body of `POST /payments`. */
export const bodyOf = ({ amount, customer, reference }: Order): object => ({
  amount: formatAmount(amount, customer.currency),
  currency: customer.currency,
  method: "credit_card",
  customer_id: customer.id,
  ...(reference === undefined ? {} : { reference }),
});
