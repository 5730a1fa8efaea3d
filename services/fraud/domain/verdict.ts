import { minorDigitsOf, parseAmount } from "../../../lib/domain/money.js";
import { usdPerUnit } from "./rates.js";

/** What is known of a payment. */
export interface Payment {
  readonly customerId: string;
  /** Decimal text. */
  readonly amount: string;
  readonly currency: string;
  /** How it is paid, e.g. `credit_card`. */
  readonly method: string;
  /** Its customer has made as many payments as one makes in a minute. */
  readonly tooMany: boolean;
}

export interface Verdict {
  readonly status: "APPROVED" | "DECLINED";
  /** From 0, harmless, to 1. */
  readonly score: number;
  /** Names of the rules that raised the score, in the order of the table. */
  readonly reasons: readonly string[];
}

/** A payment as the rules look at it. */
interface Facts {
  readonly usd: number;
  readonly rated: boolean;
  readonly round: boolean;
  readonly card: boolean;
  readonly blocked: boolean;
  readonly tooMany: boolean;
}

interface Rule {
  readonly name: string;
  /** Hundredths of the score. */
  readonly points: number;
  readonly applies: (facts: Facts) => boolean;
}

/** Below the limit an amount alone declines nothing: in a currency with a rate it comes to 0.5 at most. */
const RULES: readonly Rule[] = [
  { name: "blocked_customer", points: 100, applies: ({ blocked }) => blocked },
  { name: "amount_over_limit", points: 100, applies: ({ usd }) => usd >= 10_000 },
  { name: "large_amount", points: 30, applies: ({ usd }) => usd >= 5_000 },
  { name: "large_card_amount", points: 10, applies: ({ usd, card }) => card && usd >= 2_000 },
  { name: "round_amount", points: 10, applies: ({ usd, round }) => round && usd >= 1_000 },
  // Stolen numbers are tried out with amounts that nobody notices.
  { name: "card_testing", points: 40, applies: ({ usd, card }) => card && usd < 1 },
  { name: "too_many_payments", points: 40, applies: ({ tooMany }) => tooMany },
  { name: "currency_without_rate", points: 20, applies: ({ rated }) => !rated },
];

const DECLINED_FROM = 70;
const MOST = 100;
/** In units of the currency: 1,000, 2,000, … */
const ROUND_UNITS = 1_000;

/**
 * Whether a payment looks like fraud. A unit of a currency without a rate counts as one USD, and adds to the score.
 *
 * @param blocked customers whose payments are all declined
 * @throws CoreError CURRENCY_UNKNOWN, AMOUNT_INVALID
 */
export function judge(payment: Payment, blocked: ReadonlySet<string>): Verdict {
  const facts = factsOf(payment, blocked);
  let points = 0;
  const reasons: string[] = [];
  for (const rule of RULES) {
    if (rule.applies(facts)) {
      points += rule.points;
      reasons.push(rule.name);
    }
  }
  const status = points >= DECLINED_FROM ? "DECLINED" : "APPROVED";
  return { status, score: Math.min(points, MOST) / MOST, reasons };
}

function factsOf(
  { customerId, amount, currency, method, tooMany }: Payment,
  blocked: ReadonlySet<string>,
): Facts {
  const minor = Number(parseAmount(amount, currency));
  const unit = 10 ** minorDigitsOf(currency);
  const rate = usdPerUnit(currency);
  return {
    // Whole numbers as long as they can be: 10,000.00 USD are just 10,000.
    usd: (minor / unit) * (rate ?? 1),
    rated: rate !== undefined,
    round: minor % (ROUND_UNITS * unit) === 0,
    card: method === "card" || method.endsWith("_card"),
    blocked: blocked.has(customerId),
    tooMany,
  };
}
