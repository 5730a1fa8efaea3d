import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { CURRENCIES } from "../../../lib/domain/codes.js";
import { CURRENCY_CODES, formatAmount, minorDigitsOf } from "../../../lib/domain/money.js";
import { usdPerUnit } from "./rates.js";
import { judge, type Payment } from "./verdict.js";

const NOBODY: ReadonlySet<string> = new Set();
const payment: Payment = {
  customerId: "customer-123",
  amount: "100.50",
  currency: "USD",
  method: "credit_card",
  tooMany: false,
};
const verdictOf = (changes: Partial<Payment>) => judge({ ...payment, ...changes }, NOBODY);

test.each<[string, Partial<Payment>, number, string[]]>([
  ["the contract's payment", {}, 0, []],
  [
    "the limit",
    { amount: "10000.00", method: "transfer" },
    1,
    ["amount_over_limit", "large_amount", "round_amount"],
  ],
  ["a cent below it", { amount: "9999.99" }, 0.4, ["large_amount", "large_card_amount"]],
  [
    "its equal in EUR",
    { amount: "9708.74", currency: "EUR", method: "transfer" },
    1,
    ["amount_over_limit", "large_amount"],
  ],
  ["less in EUR", { amount: "9708.73", currency: "EUR", method: "transfer" }, 0.3, ["large_amount"]],
  ["a currency without minor units", { amount: "10000", currency: "JPY" }, 0, []],
  ["a round amount", { amount: "3000.00", method: "transfer" }, 0.1, ["round_amount"]],
  ["a card tried out", { amount: "0.99" }, 0.4, ["card_testing"]],
  ["a card tried out often", { amount: "0.99", tooMany: true }, 0.8, ["card_testing", "too_many_payments"]],
  ["little by another way", { amount: "0.99", method: "wallet" }, 0, []],
  ["a currency without a rate", { currency: "KWD", amount: "100.500" }, 0.2, ["currency_without_rate"]],
  [
    "much of such a currency",
    { currency: "KWD", amount: "10000", method: "transfer" },
    1,
    ["amount_over_limit", "large_amount", "round_amount", "currency_without_rate"],
  ],
])("%s", (_, changes, score, reasons) => {
  expect(verdictOf(changes)).toEqual({ status: score >= 0.7 ? "DECLINED" : "APPROVED", score, reasons });
});

it("declines whatever a blocked customer pays", () => {
  expect(judge(payment, new Set(["customer-123"]))).toMatchObject({ status: "DECLINED", score: 1 });
});

it.each([
  ["AMOUNT_INVALID", { amount: "1.005" }],
  ["CURRENCY_UNKNOWN", { currency: "ABC" }],
])("refuses with %s what is no amount", (code, changes) => {
  expect(() => verdictOf(changes)).toThrow(expect.objectContaining({ code }));
});

it("has a rate for every currency of the population", () => {
  expect(CURRENCIES.filter((currency) => usdPerUnit(currency) === undefined)).toEqual([]);
});

describe("of any payment", () => {
  const minor = fc.bigInt({ min: 1n, max: 2n ** 62n });
  const payments = fc.record({
    customerId: fc.constantFrom("a", "b"),
    minor: fc.oneof(minor, fc.bigInt({ min: 1n, max: 3_000_000n })),
    currency: fc.constantFrom(...CURRENCY_CODES),
    method: fc.constantFrom("credit_card", "debit_card", "transfer", "wallet"),
    tooMany: fc.boolean(),
  });
  type Any = typeof payments extends fc.Arbitrary<infer T> ? T : never;
  const judged = ({ minor: amount, ...rest }: Any) =>
    judge({ ...rest, amount: formatAmount(amount, rest.currency) }, new Set(["b"]));

  it("the score is from 0 to 1, comes from its reasons, and decides", () => {
    fc.assert(
      fc.property(payments, (each) => {
        const { score, reasons, status } = judged(each);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(reasons.length > 0).toBe(score > 0);
        expect(status).toBe(score >= 0.7 ? "DECLINED" : "APPROVED");
      }),
    );
  });

  it("the verdict is a function of it, whatever else is judged before", () => {
    fc.assert(
      fc.property(fc.array(payments), (all) => {
        expect(all.toReversed().map(judged).toReversed()).toEqual(all.map(judged));
      }),
    );
  });

  it("more money is no less suspicious, but for a round amount and a card tried out", () => {
    const apart = new Set(["round_amount", "card_testing"]);
    const lasting = (each: Any) => judged(each).reasons.filter((reason) => !apart.has(reason));
    fc.assert(
      fc.property(payments, minor, (each, more) => {
        const larger = { ...each, minor: each.minor + more };
        expect(lasting(larger)).toEqual(expect.arrayContaining(lasting(each)));
      }),
    );
  });

  it("the limit declines, and what is below declines nobody by itself", () => {
    fc.assert(
      fc.property(payments, ({ minor: amount, currency, method }) => {
        const rate = usdPerUnit(currency);
        fc.pre(rate !== undefined);
        const usd = (Number(amount) / 10 ** minorDigitsOf(currency)) * (rate as number);
        const { status } = judged({ customerId: "a", minor: amount, currency, method, tooMany: false });
        expect(status).toBe(usd >= 10_000 ? "DECLINED" : "APPROVED");
      }),
    );
  });
});
