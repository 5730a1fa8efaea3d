import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAmount, minorDigitsOf } from "../../../lib/domain/money.js";
import { moneyOf, type Notation, plainNumber } from "./amount.js";

const grouped = (text: string, separator: string, decimal: string) => {
  const [whole = "", fraction] = text.split(".");
  const groups = whole.replaceAll(/\B(?=(\d{3})+$)/g, separator);
  return fraction === undefined ? groups : `${groups}${decimal}${fraction}`;
};

describe("plainNumber", () => {
  it.each<[string, Notation, string | null, string | undefined]>([
    ["1.234,56", "any", "EUR", "1234.56"],
    ["1,234.56", "any", "EUR", "1234.56"],
    ["1 540,50", "any", "ARS", "1540.50"],
    ["1'234.50", "any", "CHF", "1234.50"],
    ["15.000", "any", "CLP", "15000"],
    ["1.234", "any", "USD", undefined],
    ["1.234", "any", "KWD", undefined],
    ["1.234", "any", null, undefined],
    ["0.500", "any", "KWD", "0.500"],
    ["0.500", "comma_decimal", "KWD", undefined],
    ["12.5", "any", "USD", "12.5"],
    ["1.234.567", "any", "USD", "1234567"],
    ["39,90-", "any", "EUR", "-39.90"],
    ["(39.90)", "any", "USD", "-39.90"],
    ["\u221239,90", "any", "EUR", "-39.90"],
    ["1,23,456.00", "any", "INR", "123456.00"],
    ["1.23.45,6", "any", "EUR", undefined],
    ["1,2,3", "any", "EUR", undefined],
    ["12.34,56.78", "any", "EUR", undefined],
    ["-39,90", "comma_decimal", "EUR", "-39.90"],
    ["1.234", "comma_decimal", "EUR", "1234"],
    ["0x10", "plain", "USD", undefined],
    ["1e3", "plain", "USD", undefined],
    ["", "any", "USD", undefined],
    ["", "plain", "USD", undefined],
    ["12abc", "any", "USD", undefined],
    ["١٢", "any", "USD", undefined],
    [" 12.50 ", "plain", "USD", "12.50"],
  ])("%s in notation %s of %s is %s", (text, notation, currency, plain) => {
    expect(plainNumber(text, notation, currency)).toBe(plain);
  });

  it("reads what people write, in either notation, without losing a digit", () => {
    const currency = fc.constantFrom("USD", "JPY", "KWD");
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), currency, fc.boolean(), (minor, code, german) => {
        const amount = formatAmount(minor, code);
        const text = german ? grouped(amount, ".", ",") : grouped(amount, ",", ".");
        const plain = plainNumber(text, german ? "comma_decimal" : "point_decimal", code);
        expect(plain).toBe(amount);
        expect(moneyOf(plain ?? "", 0, code)).toEqual({ amount, amountMinor: minor });
      }),
    );
  });

  it("never reads a number that is another one in another notation", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9.,]{1,12}$/),
        fc.constantFrom("USD", "JPY", "KWD"),
        (text, code) => {
          const read = plainNumber(text, "any", code);
          const either = [plainNumber(text, "comma_decimal", code), plainNumber(text, "point_decimal", code)];
          if (read !== undefined) {
            expect(either).toContain(read);
          }
          const values = either.map((each) =>
            each === undefined ? undefined : moneyOf(each, 0, code)?.amountMinor,
          );
          if (
            values[0] !== undefined &&
            values[1] !== undefined &&
            values[0] !== values[1] &&
            minorDigitsOf(code) > 0
          ) {
            expect(read).toBeUndefined();
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("moneyOf", () => {
  it.each<[string, number, string | null, string | undefined]>([
    ["250000", 2, "ISK", "2500"],
    ["250050", 2, "ISK", undefined],
    ["150000", 0, "IDR", "150000.00"],
    ["5", 2, "USD", "0.05"],
    ["-5", 2, "USD", "-0.05"],
    ["950.0", 0, null, "950.00"],
    ["10.005", 0, "USD", undefined],
    ["10.500", 0, "USD", "10.50"],
    ["000000012550", 2, "COP", "125.50"],
    ["99999999999999999999", 0, "USD", undefined],
  ])("%s with %i decimals of %s is %s", (plain, digits, currency, amount) => {
    expect(moneyOf(plain, digits, currency)?.amount).toBe(amount);
  });
});
