import { population } from "../../etl/world/population.js";
import { Prng } from "../../etl/world/prng.js";
import { UNITS_PER_EUR } from "../../etl/world/world.js";
import { CURRENCIES } from "../../lib/domain/codes.js";
import { formatAmount, minorDigitsOf } from "../../lib/domain/money.js";
import { TrafficError } from "../errors.js";
import type { Target } from "../load/target.js";
import { BY_HAND, PENNILESS, type TrafficSpec } from "../spec.js";
import { type Expected, enterPayments } from "../store/payment.js";
import type { Kind, Run, Source } from "./kind.js";

/** A payment as it is asked for. */
interface Payment {
  readonly customer: number;
  readonly currency: string;
  readonly amountMinor: number;
  readonly method: string;
  readonly expected: Expected;
}

/** Tells the draws of payments from those of other kinds. */
const STREAM = 0x7061_796d;

/**
 * Small, because the poorest of those who have something has 100 units of its currency: none runs dry within 33 payments of its own.
 * A card payment below one USD raises suspicion, but not enough to be declined.
 */
const LEAST_UNITS = 1;
const MOST_UNITS = 3;
/** From 10,000.00 USD on a payment is declined; these are well beyond that, whichever day's rates are taken. */
const FRAUD_EUR = 30_000;

const METHODS = ["credit_card", "credit_card", "credit_card", "debit_card", "debit_card", "bank_transfer"];

/** Payments of the synthetic population, each in its customer's own currency. */
export const payments: Kind = {
  name: "payments",
  prepare: async (run) => {
    population(); // before the clock runs
    await fundHotCustomers(run);
    return paymentSource(run);
  },
};

function paymentSource({ trafficId, spec, target }: Pick<Run, "trafficId" | "spec" | "target">): Source {
  const head = target.head("/payments");
  return {
    request: (n) => {
      const { customer, currency, amountMinor, method } = drawPayment(spec, n);
      const amount = formatAmount(BigInt(amountMinor), currency);
      const body = `{"amount":"${amount}","currency":"${currency}","method":"${method}","customer_id":"customer-${customer}","reference":"${referenceOf(trafficId, n)}"}`;
      return `${head}${body.length}\r\n\r\n${body}`;
    },
    enterKey: (pool, outcomes) =>
      enterPayments(
        pool,
        trafficId,
        outcomes.map((answer, n) => ({
          ...drawPayment(spec, n),
          reference: referenceOf(trafficId, n),
          answer,
        })),
      ),
  };
}

/** A payment that is asked for twice under its reference is one payment. */
const referenceOf = (trafficId: number, n: number): string => `traffic:${trafficId}:${n}`;

/** Payment `n` of a spec. */
export function drawPayment(spec: TrafficSpec, n: number): Payment {
  const { seed, customers, hotShare, insufficientShare, fraudShare } = spec;
  const rng = new Prng(seed, STREAM, n);
  const method = METHODS[rng.below(METHODS.length)] ?? "credit_card";
  const share = rng.unit();
  if (share < fraudShare) {
    const customer = PENNILESS + 1 + rng.below(customers - PENNILESS);
    const currency = currencyOf(customer);
    const units = FRAUD_EUR * (UNITS_PER_EUR[CURRENCIES.indexOf(currency)] ?? 1) + rng.below(1_000);
    const amountMinor = Math.round(units) * 10 ** minorDigitsOf(currency);
    return { customer, currency, amountMinor, method, expected: "fraud_detected" };
  }
  if (share < fraudShare + insufficientShare) {
    const customer = BY_HAND + 1 + rng.below(PENNILESS - BY_HAND);
    return { ...smallAmount(customer, rng), method, expected: "insufficient_funds" };
  }
  const hot = share < fraudShare + insufficientShare + hotShare;
  const customer = hot
    ? hotCustomer(spec, rng.below(spec.hotCustomers))
    : PENNILESS + 1 + rng.below(customers - PENNILESS);
  return { ...smallAmount(customer, rng), method, expected: "approved" };
}

function smallAmount(customer: number, rng: Prng): Pick<Payment, "customer" | "currency" | "amountMinor"> {
  const currency = currencyOf(customer);
  const minor = 10 ** minorDigitsOf(currency);
  const amountMinor = LEAST_UNITS * minor + rng.below((MOST_UNITS - LEAST_UNITS) * minor);
  return { customer, currency, amountMinor };
}

/** The k-th hot customer of a seed; the first draws them all, one after the other. */
function hotCustomer({ seed, customers }: TrafficSpec, k: number): number {
  const rng = new Prng(seed, STREAM);
  const first = rng.below(customers - PENNILESS);
  return PENNILESS + 1 + ((first + k) % (customers - PENNILESS));
}

function currencyOf(customer: number): (typeof CURRENCIES)[number] {
  return CURRENCIES[population().accountCurrency[customer - 1] ?? 0] ?? "EUR";
}

/** A hot customer gets beforehand what all of them together may pay, so that none of its payments fails for want of money. */
async function fundHotCustomers({ trafficId, spec, wallets, requests }: Run): Promise<void> {
  for (let k = 0; k < spec.hotCustomers; k++) {
    const customer = hotCustomer(spec, k);
    const wallet = await walletOf(wallets, customer);
    if (spec.hotShare > 0) {
      await wallets.ask("POST", `/wallets/${wallet}/credit`, {
        amount: String(MOST_UNITS * requests),
        reference: `traffic:${trafficId}`,
      });
    }
  }
}

/** @throws TrafficError TARGET_UNPREPARED when the customer has none. */
async function walletOf(wallets: Target, customer: number): Promise<string> {
  const answer = await wallets.ask("GET", `/wallets?user_id=customer-${customer}`);
  const [wallet] = (answer as { wallets: readonly { id: string }[] }).wallets;
  if (wallet === undefined) {
    throw new TrafficError("TARGET_UNPREPARED", `customer-${customer} has no wallet.`, {
      hint: "Run `payments wallets seed`.",
    });
  }
  return wallet.id;
}
