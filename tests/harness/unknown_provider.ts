import type { ModelAnswer } from "../../services/ingest/learning/proposal.js";

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * What a seed chooses: the unit of the provider's amounts and what tells it. Those from "whole units" on look like evidence and are
 * none: whole main units beside a price each, a hundred of which are an amount in cents now and then; amounts of CLP in hundredths,
 * which ISO 4217 does not have.
 */
export const UNIT_STYLES = [
  "cents by name",
  "decimal text",
  "decimal comma",
  "second field",
  "nothing tells",
  "whole units",
  "hundredths of pesos",
] as const;
export type UnitStyle = (typeof UNIT_STYLES)[number];

export interface TrueEvent {
  readonly id: string;
  readonly document: Readonly<Record<string, unknown>>;
  /** What must come of it. */
  readonly truth: {
    readonly status: string;
    readonly reason: string | null;
    readonly amountMinor: bigint;
    readonly currency: string;
    readonly merchant: string;
    readonly country: string;
    readonly occurredAt: string;
    readonly id: string;
    readonly paymentRef: string;
  };
}

const PAYMENT_STATES = {
  PAID: "APPROVED",
  IN_REVIEW: "PENDING",
  REFUSED: "DECLINED",
  EXPIRED: "FAILED",
} as const;
const REFUND_STATES = { COMPLETED: "REFUNDED", PENDING: "PENDING", REJECTED: "FAILED" } as const;
const DISPUTE_STATES = { OPENED: "CHARGEBACK", LOST: "CHARGEBACK" } as const;
const REASONS = {
  "insufficient funds": "INSUFFICIENT_FUNDS",
  "card expired": "EXPIRED_CARD",
  "suspected fraud": "FRAUD_SUSPECTED",
  "issuer unavailable": "NETWORK_ERROR",
} as const;
const KINDS = {
  payment: PAYMENT_STATES,
  refund: REFUND_STATES,
  dispute: DISPUTE_STATES,
} as const;
type Kind = keyof typeof KINDS;

/** Events of a provider that nobody has a rule for, in many variants: optional fields, nulls, lists, metadata, three kinds. */
export class UnknownProvider {
  readonly unitStyle: UnitStyle;
  readonly #random: () => number;
  #made = 0;

  constructor(seed: number, unitStyle: UnitStyle = pick(randomOf(seed ^ 0x5eed), UNIT_STYLES)) {
    this.unitStyle = unitStyle;
    this.#random = randomOf(seed);
  }

  next(): TrueEvent {
    const random = this.#random;
    this.#made += 1;
    const n = this.#made;
    const kind = pick<Kind>(random, [
      "payment",
      "payment",
      "payment",
      "payment",
      "payment",
      "payment",
      "refund",
      "dispute",
    ]);
    const states: Readonly<Record<string, string>> = KINDS[kind];
    const state = pick(random, Object.keys(states));
    const status = states[state] as string;
    const hundredths = 100 + Math.floor(random() * 500_000);
    const reason =
      kind === "payment" && status === "DECLINED" ? pick(random, Object.keys(REASONS)) : undefined;
    const at = new Date(Date.UTC(2026, 9, 1 + (n % 28), n % 24, n % 60, n % 60));
    const isPeso = this.unitStyle === "hundredths of pesos" && random() < 0.3;
    const isWhole = isPeso || this.unitStyle === "whole units";
    const minor = isWhole ? 100 * Math.ceil(hundredths / 100) : hundredths;
    const currency = isPeso ? "CLP" : pick(random, ["USD", "EUR", "BRL"]);
    const id = `ev_${n.toString(36)}x${Math.floor(random() * 1e9).toString(36)}`;
    const paymentRef = `P-${10_000 + n}`;
    const merchant = pick(random, ["Librería Austral", "Café Norte", "Taller Sur"]);
    const maybe = (share: number, fields: object) => (random() < share ? fields : {});
    const document = {
      event_id: id,
      event_type: `${kind}.updated`,
      created_at: at.toISOString(),
      [kind]: {
        payment_reference: paymentRef,
        state,
        ...this.#amount(minor),
        fee: decimal(1 + Math.floor(minor * random() * 0.03)),
        currency,
        settlement_currency: "EUR",
        ...(reason === undefined ? {} : { decline_reason: reason }),
        ...maybe(0.3, { installments: 1 + Math.floor(random() * 12) }),
        ...maybe(0.3, { channel: pick(random, ["web", "app", "pos"]) }),
        ...maybe(0.2, { note: null }),
        ...maybe(0.2, { risk_score: Math.floor(random() * 100) }),
      },
      merchant: { name: merchant, country: "AR" },
      customer: {
        id: `cus_${Math.floor(random() * 50)}`,
        name: "Ana Prueba",
        ...maybe(0.5, { country: "BR", email: "ana@example.org" }),
      },
      ...maybe(0.4, { metadata: { [`order_${n}`]: "x", basket: String(n) } }),
      ...maybe(0.3, {
        items: Array.from({ length: 2 + Math.floor(random() * 3) }, (_, i) => ({ sku: `S${i}`, price: 1 })),
      }),
      ...maybe(0.3, { expires_at: "2026-12-31T00:00:00Z" }),
      ...maybe(0.2, { attempt: 1 + Math.floor(random() * 3) }),
    };
    return {
      id,
      document,
      truth: {
        status,
        reason: reason === undefined ? null : REASONS[reason as keyof typeof REASONS],
        amountMinor: BigInt(isPeso ? minor / 100 : minor),
        currency,
        merchant,
        country: "AR",
        occurredAt: at.toISOString(),
        id,
        paymentRef,
      },
    };
  }

  #amount(minor: number): object {
    switch (this.unitStyle) {
      case "cents by name":
        return { amount_in_cents: minor };
      case "decimal text":
        return { amount: decimal(minor) };
      case "decimal comma":
        return { amount: decimal(minor).replace(".", ",") };
      case "second field":
      case "hundredths of pesos":
        return { amount: minor, amount_text: decimal(minor) };
      case "whole units":
        return this.#priced(minor / 100);
      case "nothing tells":
        return { amount: minor };
    }
  }

  /** One in ten is a hundred times its price: 5000 beside 50.00. */
  #priced(amount: number): object {
    const quantity = this.#random() < 0.1 ? 100 : pick(this.#random, [1, 2, 4]);
    return { amount, unit_amount: decimal((amount * 100) / quantity), quantity };
  }
}

const decimal = (minor: number): string => (minor / 100).toFixed(2);

const pick = <T>(random: () => number, items: readonly T[]): T =>
  items[Math.floor(random() * items.length)] as T;

/** What a prompt's user part holds. */
export interface Asked {
  readonly fields: Readonly<Record<string, string>>;
  readonly events: readonly Readonly<Record<string, string>>[];
}

/** The right answer to a prompt about its events: from the names of the fields, as a good model would find it. */
export function rightAnswer({ fields, events }: Asked): ModelAnswer {
  const first = events[0] ?? {};
  const kind =
    (["payment", "refund", "dispute"] as const).find((each) => `/${each}/state` in first) ?? "payment";
  const has = (path: string) => (path in fields ? path : null);
  const amount = has(`/${kind}/amount_in_cents`) ?? `/${kind}/amount`;
  const isMinor = !/[.,]/.test(first[amount] ?? "") && has(`/${kind}/unit_amount`) === null;
  const states: Readonly<Record<string, ModelAnswer["status"]["values"][0]["category"]>> = KINDS[kind];
  const seen = (path: string) => [...new Set(events.flatMap((event) => event[path] ?? []))];
  const why = has(`/${kind}/decline_reason`);
  return {
    status: {
      paths: ["/event_type", `/${kind}/state`],
      values: seen(`/${kind}/state`).map((state) => ({
        texts: [`${kind}.updated`, state],
        category: states[state] ?? "FAILED",
      })),
    },
    amount: { path: amount, unit: isMinor ? "minor" : "major" },
    currency: `/${kind}/currency`,
    id: "/event_id",
    payment_ref: `/${kind}/payment_reference`,
    occurred_at: { path: "/created_at", format: "iso" },
    merchant: "/merchant/name",
    country: "/merchant/country",
    reason:
      kind === "payment"
        ? {
            paths: [`/${kind}/decline_reason`],
            values:
              why === null
                ? []
                : seen(why).map((text) => ({
                    texts: [text],
                    reason: REASONS[text as keyof typeof REASONS] ?? null,
                  })),
          }
        : null,
  };
}

const ERRORS = ["unit", "field", "status"] as const;

/** The same answer with one error: what a model gets wrong. */
export function wrongAnswer(asked: Asked, random: () => number, error = pick(random, ERRORS)): ModelAnswer {
  const right = rightAnswer(asked);
  const kind = right.currency?.split("/")[1] ?? "payment";
  if (error === "unit" && right.amount !== null) {
    return { ...right, amount: { ...right.amount, unit: right.amount.unit === "minor" ? "major" : "minor" } };
  }
  if (error === "status") {
    const at = Math.floor(random() * right.status.values.length);
    const values = right.status.values.map((value, n) =>
      n === at
        ? {
            ...value,
            category: value.category === "APPROVED" ? ("DECLINED" as const) : ("APPROVED" as const),
          }
        : value,
    );
    return { ...right, status: { ...right.status, values } };
  }
  return pick<ModelAnswer>(random, [
    { ...right, amount: { path: `/${kind}/fee`, unit: "major" } },
    { ...right, currency: `/${kind}/settlement_currency` },
    { ...right, id: "/customer/id" },
    { ...right, merchant: "/customer/name" },
    { ...right, country: "/customer/country" },
    { ...right, payment_ref: "/event_id" },
    { ...right, occurred_at: { path: "/expires_at", format: "iso" } },
    { ...right, reason: null },
  ]);
}
