import { describe, expect, it } from "vitest";
import { population } from "../../etl/world/population.js";
import { CURRENCIES } from "../../lib/domain/codes.js";
import { minorDigitsOf } from "../../lib/domain/money.js";
import { DEFAULT_SPEC } from "../spec.js";
import { drawPayment } from "./payments.js";

const N = 50_000;
const spec = { ...DEFAULT_SPEC, hotShare: 0.1, hotCustomers: 2, fraudShare: 0.02, insufficientShare: 0.03 };
const drawn = Array.from({ length: N }, (_, n) => drawPayment(spec, n));
const share = (of: (typeof drawn)[number]["expected"]) =>
  drawn.filter(({ expected }) => expected === of).length / N;
const unitsOf = ({ amountMinor, currency }: (typeof drawn)[number]) =>
  amountMinor / 10 ** minorDigitsOf(currency);

describe("generated payments", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(drawPayment(spec, 7)).toEqual(drawn[7]);
    const other = Array.from({ length: 20 }, (_, n) => drawPayment({ ...spec, seed: 2 }, n));
    expect(other).not.toEqual(drawn.slice(0, 20));
  });

  it("have the shares of the spec", () => {
    expect(share("fraud_detected")).toBeCloseTo(0.02, 2);
    expect(share("insufficient_funds")).toBeCloseTo(0.03, 2);
    const byCustomer = new Map<number, number>();
    for (const { customer } of drawn) {
      byCustomer.set(customer, (byCustomer.get(customer) ?? 0) + 1);
    }
    const most = [...byCustomer].sort(([, a], [, b]) => b - a);
    expect(most.slice(0, 2).map(([, count]) => count / N)).toEqual([
      expect.closeTo(0.05, 2),
      expect.closeTo(0.05, 2),
    ]);
    expect(most[2]?.[1]).toBeLessThan(N / 100);
  });

  it("leave out whom people try by hand, and let only those without money lack it", () => {
    const wrong = drawn.filter(
      ({ customer, expected }) =>
        customer <= 1_000 ||
        customer > spec.customers ||
        customer <= 1_100 !== (expected === "insufficient_funds"),
    );
    expect(wrong).toEqual([]);
  });

  it("are in the customer's currency, small unless they are fraud", () => {
    const { accountCurrency } = population();
    const foreign = drawn.filter(
      ({ customer, currency }) => currency !== CURRENCIES[accountCurrency[customer - 1] ?? -1],
    );
    expect(foreign).toEqual([]);
    const small = (payment: (typeof drawn)[number]) => unitsOf(payment) >= 1 && unitsOf(payment) < 3;
    const odd = drawn.filter((payment) =>
      payment.expected === "fraud_detected" ? unitsOf(payment) < 20_000 : !small(payment),
    );
    expect(odd).toEqual([]);
    expect(drawn.every(({ amountMinor }) => Number.isSafeInteger(amountMinor))).toBe(true);
  });
});
