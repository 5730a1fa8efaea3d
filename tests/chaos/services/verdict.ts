import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Check } from "../rig.js";
import type { Told } from "./drive.js";
import type { Customer, Fate } from "./load.js";

/** A payment as both services have it; amounts in minor units. */
export interface Found {
  readonly paymentId: string;
  readonly customerId: string;
  readonly state: string;
  readonly reason: string | null;
  readonly amount: bigint;
  readonly refunded: bigint;
  readonly tookS: number;
  /** The wallet's decision; null where it was never asked. */
  readonly outcome: string | null;
  readonly taken: bigint;
  readonly givenBack: bigint;
}

export interface Books {
  readonly payments: readonly Found[];
  /** By customer; of those who have a wallet. */
  readonly balances: ReadonlyMap<string, bigint>;
}

/** @param owner may read the tables of all services */
export async function readBooks(owner: Queryable): Promise<Books> {
  const { rows } = await owner.query<Record<keyof Found, string>>(
    `SELECT p.payment_id AS "paymentId", customer_id AS "customerId", state, p.reason, p.amount::text, p.refunded::text,
            extract(epoch FROM p.updated_at - p.created_at)::text AS "tookS", outcome,
            CASE outcome WHEN 'approved' THEN d.amount ELSE 0 END::text AS taken, coalesce(d.refunded, 0)::text AS "givenBack"
     FROM saga.payment p LEFT JOIN wallet.decision d USING (payment_id) ORDER BY payment_id`,
  );
  const wallets = await owner.query<{ user_id: string; balance: string }>(
    "SELECT user_id, balance::text FROM wallet.wallet WHERE kind = 'customer' ORDER BY user_id",
  );
  return {
    payments: rows.map((row) => ({
      ...row,
      amount: BigInt(row.amount),
      refunded: BigInt(row.refunded),
      tookS: Number(row.tookS),
      taken: BigInt(row.taken ?? 0),
      givenBack: BigInt(row.givenBack),
    })),
    balances: new Map(wallets.rows.map(({ user_id, balance }) => [user_id, BigInt(balance)])),
  };
}

/** What callers were told, against what is in the books. Nothing may be in flight. */
export function compare(
  told: readonly Told[],
  customers: readonly Customer[],
  { payments, balances }: Books,
  giveUpS: number,
): Check[] {
  const byId = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const toldIds = new Set(told.map(({ paymentId }) => paymentId));
  return [
    {
      name: `each of the ${told.length} payments that were answered exists, once, and no other`,
      complaints: [
        ...told
          .filter(({ paymentId }) => !byId.has(paymentId))
          .map(({ paymentId }) => `${paymentId} was answered and is gone`),
        ...payments
          .filter(({ paymentId }) => !toldIds.has(paymentId))
          .map(({ paymentId, customerId }) => `${paymentId} of ${customerId}: nobody was told of it`),
        ...(toldIds.size === told.length ? [] : ["two orders have one payment"]),
      ],
    },
    {
      name: "states are the answer key's",
      complaints: told.flatMap((each) => {
        const found = byId.get(each.paymentId);
        return found === undefined ? [] : wrongState(each, found, giveUpS);
      }),
    },
    {
      name: "what was taken and not given back is the approved amounts, customer by customer, to the minor unit",
      complaints: customers.flatMap((customer) => {
        const own = payments.filter(({ customerId }) => customerId === customer.id);
        return wrongBalance(customer, own, balances.get(customer.id));
      }),
    },
  ];
}

const DECLINES: readonly string[] = ["fraud_detected", "insufficient_funds", "unknown_wallet"];

function wrongState({ order, refunded }: Told, found: Found, giveUpS: number): string[] {
  const { fate, number, amount } = order;
  const { state, reason, taken, givenBack } = found;
  const about = `order ${number} (${fate}, ${amount}, refunded ${refunded}) is ${JSON.stringify(found, bigints)}`;
  const wrong = (why: string) => [`${why}: ${about}`];
  if (found.amount !== amount || found.customerId !== order.customer.id) {
    return wrong("another payment");
  }
  if (state === "DECLINED" && reason === "timed_out") {
    return found.tookS < giveUpS || taken !== givenBack ? wrong("given up too early, or not given back") : [];
  }
  if (state === "DECLINED") {
    const right = fate === "either" ? "insufficient_funds" : fate;
    return reason !== right || !DECLINES.includes(right) || taken !== 0n ? wrong("declined") : [];
  }
  if (fate !== "approved" && fate !== "either") {
    return wrong("not declined");
  }
  const refundedState = refunded === amount ? "REFUNDED" : "PARTIALLY_REFUNDED";
  const expected = refunded === 0n ? "APPROVED" : refundedState;
  const agrees =
    state === expected && taken === amount && givenBack === refunded && found.refunded === refunded;
  return agrees ? [] : wrong(`not ${expected}`);
}

function wrongBalance(
  { id, funds }: Customer,
  payments: readonly Found[],
  balance: bigint | undefined,
): string[] {
  const kept = payments
    .filter(({ state }) => state !== "DECLINED")
    .reduce((sum, { amount, refunded }) => sum + amount - refunded, 0n);
  const expected = funds === undefined ? undefined : funds - kept;
  return balance === expected && (balance ?? 0n) >= 0n ? [] : [`${id} holds ${balance}, not ${expected}`];
}

/** Every kind of order came to what it is to come to, at least half of the time; else `compare` would be content with nothing. */
export function covered(told: readonly Told[], customers: readonly Customer[], { payments }: Books): Check {
  const byId = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const outcomes = (fate: Fate) => {
    const found = told.filter(({ order }) => order.fate === fate).map(({ paymentId }) => byId.get(paymentId));
    const counts = new Map<string, number>();
    for (const { state, reason } of found.filter((each) => each !== undefined)) {
      const outcome = reason ?? (state === "DECLINED" ? state : "approved");
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    return { all: found.length, counts };
  };
  const complaints: string[] = [];
  const fates = new Set<Fate>(["fraud_detected", ...customers.map((customer) => customer.fate)]);
  fates.delete("either");
  for (const fate of fates) {
    const { all, counts } = outcomes(fate);
    // A broker that is away for longer than a payment is waited for makes any of them time out.
    if ((counts.get(fate) ?? 0) * 2 < all || all === 0) {
      complaints.push(`of ${all} orders that are to be ${fate}: ${JSON.stringify([...counts])}`);
    }
  }
  const either = outcomes("either").counts;
  if (!either.has("approved") || !either.has("insufficient_funds")) {
    complaints.push(`those who hold too little: ${JSON.stringify([...either])}`);
  }
  return { name: "every kind of order came to its end", complaints };
}

/** How many timed out that were not meant to. */
export function timedOut(told: readonly Told[], { payments }: Books): number {
  const meant = new Set(
    told.filter(({ order }) => order.fate === "timed_out").map(({ paymentId }) => paymentId),
  );
  return payments.filter(({ paymentId, reason }) => reason === "timed_out" && !meant.has(paymentId)).length;
}

const bigints = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
