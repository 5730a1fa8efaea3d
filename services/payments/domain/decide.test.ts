import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAmount, LARGEST_MINOR, minorDigitsOf } from "../../../lib/domain/money.js";
import { decide, distrust, type Fact, type Usual, usual } from "./decide.js";
import { NEW, type Payment } from "./payment.js";

const payment = (more: Partial<Payment> = {}): Payment => ({
  paymentId: "p",
  customerId: "ada",
  reference: null,
  amount: 1_000n,
  currency: "USD",
  method: "card",
  traceId: "t",
  createdAt: new Date(0),
  updatedAt: new Date(0),
  ...NEW,
  ...more,
});
const answered = (reason: Extract<Fact, { kind: "answered" }>["reason"], amount = "10.00"): Fact => ({
  kind: "answered",
  approved: reason === "success",
  reason,
  amount,
  customerId: "ada",
});

/** A payment after facts in their order, and why some were not applied. */
function walk(facts: readonly Fact[], from = payment()): { payment: Payment; illegal: string[] } {
  const illegal: string[] = [];
  let at = from;
  for (const fact of facts) {
    const decision = decide(at, fact);
    if (decision.kind === "move") {
      at = { ...at, ...decision.to };
    } else {
      illegal.push(decision.reason);
    }
  }
  return { payment: at, illegal };
}

/** What fraud, the wallet and its refunds say of a payment, whoever asks and however often. */
interface World {
  readonly check: boolean;
  readonly debit: "success" | "insufficient_funds" | "unknown_wallet";
  /** Totals, of a debited payment. */
  readonly refunds: readonly string[];
}
const world = fc.record({
  check: fc.boolean(),
  debit: fc.constantFrom("success" as const, "insufficient_funds" as const, "unknown_wallet" as const),
  refunds: fc.constantFrom<readonly string[]>(
    [],
    ["4.00"],
    ["10.00"],
    ["4.00", "10.00"],
    ["1.00", "2.00", "10.00"],
  ),
});

/** Sends what a pending payment waits for again until it is decided, as the sweeper does. */
function swept(from: Payment, { check, debit }: World): Payment {
  let at = from;
  while (at.state === "PENDING") {
    const fact: Fact = at.awaiting === "check" ? { kind: "checked", approved: check } : answered(debit);
    at = walk([fact], at).payment;
  }
  return at;
}

function expected({ check, debit, refunds }: World): Partial<Payment> {
  if (!check) {
    return { state: "DECLINED", reason: "fraud_detected", refunded: 0n };
  }
  if (debit !== "success") {
    return { state: "DECLINED", reason: debit, refunded: 0n };
  }
  const refunded = BigInt((refunds.at(-1) ?? "0.00").replace(".", ""));
  const part = refunded === 0n ? "APPROVED" : "PARTIALLY_REFUNDED";
  return { state: refunded === 1_000n ? "REFUNDED" : part, reason: null, refunded };
}

describe("decide", () => {
  it("comes to the same end in whatever order, and however often, things are told", () => {
    fc.assert(
      fc.property(world, fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 3 }), (is, random, times) => {
        const debited = is.check && is.debit === "success";
        const told: Fact[] = [
          { kind: "checked", approved: is.check },
          ...(is.check ? [answered(is.debit)] : []),
          ...(debited ? is.refunds : []).map((total): Fact => ({ kind: "refunded", total })),
        ];
        const all = Array.from({ length: times }, () => told).flat();
        const shuffled = all
          .map((fact) => ({ fact, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ fact }) => fact);
        expect(swept(walk(shuffled).payment, is)).toMatchObject(expected(is));
      }),
      { numRuns: 2_000 },
    );
  });

  it("stays in what is decided, whatever comes, but for refunds that grow", () => {
    const fact: fc.Arbitrary<Fact> = fc.oneof(
      fc.record({ kind: fc.constant("checked" as const), approved: fc.boolean() }),
      fc
        .constantFrom("success" as const, "cancelled" as const, "unknown_wallet" as const)
        .map((each) => answered(each)),
      fc
        .integer({ min: 1, max: 1_200 })
        .map((minor): Fact => ({ kind: "refunded", total: (minor / 100).toFixed(2) })),
      fc.constant<Fact>({ kind: "expired" }),
    );
    const rank = { PENDING: 0, APPROVED: 1, DECLINED: 1, PARTIALLY_REFUNDED: 2, REFUNDED: 3 };
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 12 }), (facts) => {
        let at = payment();
        for (const each of facts) {
          const { payment: next } = walk([each], at);
          expect(rank[next.state]).toBeGreaterThanOrEqual(rank[at.state]);
          expect(next.refunded >= at.refunded && next.refunded <= next.amount).toBe(true);
          expect(at.state !== "DECLINED" || (next.state === "DECLINED" && next.reason === at.reason)).toBe(
            true,
          );
          expect((next.state === "DECLINED") === (next.reason !== null)).toBe(true);
          expect((next.state === "PENDING") === (next.awaiting !== null)).toBe(true);
          at = next;
        }
      }),
    );
  });

  it.each<[string, Fact[], string]>([
    ["an answer before the check", [answered("success")], "debited before its check"],
    [
      "an answer after it was given up",
      [{ kind: "checked", approved: true }, { kind: "expired" }, answered("cancelled")],
      "not debited (cancelled) after it was DECLINED",
    ],
    ["more than was paid", [{ kind: "refunded", total: "10.01" }], "more refunded than was paid"],
    [
      "a check that contradicts",
      [
        { kind: "checked", approved: true },
        { kind: "checked", approved: false },
      ],
      "declined by a check after another one",
    ],
  ])("does not apply %s", (_, facts, reason) => {
    expect(walk(facts).illegal).toEqual([reason]);
  });

  it("keeps what goes back of a payment that was given up and debited all the same", () => {
    const { payment: end, illegal } = walk([
      { kind: "checked", approved: true },
      { kind: "expired" },
      { kind: "refunded", total: "10.00" },
    ]);
    expect(end).toMatchObject({ state: "DECLINED", reason: "timed_out", refunded: 1_000n });
    expect(illegal).toEqual([]);
  });
});

describe("what is not applied", () => {
  const declined = payment({ state: "DECLINED", awaiting: null, reason: "timed_out" });
  const approved = payment({ state: "APPROVED", awaiting: null });
  const refunded: Fact = { kind: "refunded", total: "10.00" };

  it("has money asked back that was taken for what is declined, and for nothing else", () => {
    const remedy = (at: Payment, fact: Fact) => {
      const decision = decide(at, fact);
      return decision.kind === "illegal" ? decision.remedy : decision.kind;
    };
    expect(remedy(declined, answered("success"))).toBe("refund");
    expect(remedy(declined, answered("cancelled"))).toBeUndefined();
    expect(remedy(approved, answered("success"))).toBeUndefined();
    expect(remedy(payment(), answered("success"))).toBeUndefined();
  });

  it.each<[string, Payment, Fact, "ask" | undefined]>([
    ["a refund of a decided payment: the wallet is asked", approved, refunded, "ask"],
    ["a debit of a declined one: the wallet is asked", declined, answered("success"), "ask"],
    ["a debit of an approved one", approved, answered("success"), undefined],
    [
      "an answer that is waited for: its command is sent again anyway",
      payment(),
      answered("success"),
      undefined,
    ],
    ["a refund of a pending one: the same", payment(), refunded, undefined],
  ])("of another timeline is %s", (_, at, fact, remedy) => {
    expect(distrust(at, fact)).toEqual({
      kind: "illegal",
      reason: "told on another timeline of the database",
      ...(remedy && { remedy }),
    });
  });
});

describe("usual", () => {
  it.each<Fact>([
    { kind: "checked", approved: true },
    { kind: "checked", approved: false },
    answered("success"),
    answered("insufficient_funds"),
    answered("cancelled"),
  ])("says what decide says of a payment that is as it supposes", (fact) => {
    const supposed = usual(fact);
    const { amount, customerId, from } = supposed ?? {};
    const as = payment({ ...from, amount: amount ?? 1_000n, customerId: customerId ?? "ada" });
    expect(decide(as, fact)).toEqual({ kind: "move", to: supposed?.to });
  });

  /** Whether a payment that awaits its debit is as is supposed; `store/transition.ts` asks the same in SQL. */
  const fits = (supposed: Usual, { amount, currency, customerId }: Payment) =>
    supposed.amount === amount &&
    supposed.minorDigits === minorDigitsOf(currency) &&
    supposed.customerId === customerId;
  const currency = fc.constantFrom("JPY", "USD", "JOD", "CLF");
  const minor = fc.oneof(
    fc.bigInt({ min: 1n, max: LARGEST_MINOR }),
    fc.integer({ min: 0, max: 18 }).map((zeros) => 10n ** BigInt(zeros)),
  );

  it("fits no payment of which decide says something else, whatever the amount and the currency are", () => {
    const told = fc.oneof(
      fc.tuple(minor, currency).map(([amount, code]) => formatAmount(amount, code)),
      fc.tuple(minor, fc.nat(20)).map(([amount, zeros]) => `${amount}.${"0".repeat(zeros)}`),
      fc.stringMatching(/^-?[0-9]{1,20}(\.[0-9]{0,5})?(e[0-9])?$/),
    );
    // The digits alone, which is what the point must not be dropped for. No payment is of nothing.
    const near = (text: string) => BigInt(text.replaceAll(/\D/g, "").slice(0, 18)) || 1n;
    const asked = fc.tuple(told, minor, fc.boolean()).map(([text, other, close]) => {
      return { text, amount: close ? near(text) : other };
    });
    fc.assert(
      fc.property(asked, currency, fc.constantFrom("ada", "bob"), ({ text, amount }, code, customerId) => {
        const fact = answered("success", text);
        const supposed = usual(fact);
        const as = payment({ ...supposed?.from, amount, currency: code, customerId });
        // A column of type bigint holds it.
        expect(supposed === undefined || (supposed.amount as bigint) <= LARGEST_MINOR).toBe(true);
        if (supposed !== undefined && fits(supposed, as)) {
          expect(decide(as, fact)).toEqual({ kind: "move", to: supposed.to });
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it("fits every payment of less than 10^14 whose amount is told with all its digits", () => {
    const usually = fc.bigInt({ min: 1n, max: 10n ** 14n - 1n });
    fc.assert(
      fc.property(usually, currency, (amount, code) => {
        const supposed = usual(answered("success", formatAmount(amount, code)));
        expect(supposed && fits(supposed, payment({ amount, currency: code }))).toBe(true);
      }),
    );
  });

  it.each([
    ["1000", 1_000n, "USD"],
    ["10.0000", 100_000n, "USD"],
    ["10.00", 1_000n, "JOD"],
    ["010.00", 1_000n, "USD"],
  ])("told %s fits no payment of %i minor units of %s", (text, amount, code) => {
    const supposed = usual(answered("success", text));
    expect(supposed !== undefined && fits(supposed, payment({ amount, currency: code }))).toBe(false);
  });
});
