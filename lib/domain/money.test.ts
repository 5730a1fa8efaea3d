import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CURRENCIES } from "./codes.js";
import { CURRENCY_CODES, formatAmount, LARGEST_MINOR, minorDigitsOf, parseAmount } from "./money.js";

const currency = fc.constantFrom(...CURRENCY_CODES);
const minor = fc.bigInt({ min: -LARGEST_MINOR, max: LARGEST_MINOR });
const anySign = { leastMinor: -LARGEST_MINOR };

describe("the currencies", () => {
  it("are the 165 of list one that have minor units", () => {
    expect(CURRENCY_CODES).toHaveLength(165);
    expect(new Set(CURRENCY_CODES).size).toBe(165);
    expect(CURRENCY_CODES.filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
    expect(CURRENCIES.filter((code) => !CURRENCY_CODES.includes(code))).toEqual([]);
  });

  it.each([
    ["JPY", 0],
    ["CLP", 0],
    ["ISK", 0],
    ["UYI", 0],
    ["USD", 2],
    ["COP", 2],
    ["HUF", 2],
    ["MGA", 2],
    ["XCG", 2],
    ["KWD", 3],
    ["TND", 3],
    ["CLF", 4],
    ["UYW", 4],
  ])("have the digits of ISO, not of display: %s %i", (code, digits) => {
    expect(minorDigitsOf(code)).toBe(digits);
  });

  it.each(["ANG", "BGN", "CUC", "HRK", "ZWL", "XAU", "XXX", "XTS", "usd", "USD ", "", "constructor"])(
    "lack %j",
    (code) => {
      expect(() => parseAmount("1", code)).toThrow(expect.objectContaining({ code: "CURRENCY_UNKNOWN" }));
      expect(() => formatAmount(1n, code)).toThrow(expect.objectContaining({ code: "CURRENCY_UNKNOWN" }));
    },
  );
});

describe("an amount", () => {
  it.each([
    ["100.50", "USD", 10_050n],
    ["100.5", "USD", 10_050n],
    ["0.01", "USD", 1n],
    ["1.2300", "USD", 123n],
    ["7", "JPY", 7n],
    ["7.000", "JPY", 7n],
    ["1.234", "BHD", 1_234n],
    ["1.2345", "CLF", 12_345n],
    ["9007199254740993", "USD", 900_719_925_474_099_300n],
    ["9223372036854775807", "JPY", LARGEST_MINOR],
    ["92233720368547758.07", "EUR", LARGEST_MINOR],
  ])("of %s %s is %d minor units", (text, code, expected) => {
    expect(parseAmount(text, code)).toBe(expected);
  });

  it.each([
    ["", "USD"],
    [" 1", "USD"],
    ["1\n", "USD"],
    ["1e3", "USD"],
    ["1e400", "USD"],
    ["+1", "USD"],
    ["-1", "USD"],
    ["01", "USD"],
    [".5", "USD"],
    ["5.", "USD"],
    ["1,5", "USD"],
    ["1.000,50", "USD"],
    ["1_000", "USD"],
    ["0x10", "USD"],
    ["NaN", "USD"],
    ["Infinity", "USD"],
    ["١٢", "USD"],
    ["1.005", "USD"],
    ["0.5", "JPY"],
    ["1.00001", "CLF"],
    ["0", "USD"],
    ["-0", "USD"],
    ["92233720368547758.08", "USD"],
  ])("is refused: %.20j %s", (text, code) => {
    expect(() => parseAmount(text, code)).toThrow(expect.objectContaining({ code: "AMOUNT_INVALID" }));
  });

  it("of 20 digits is refused by its form, before anything is computed of it", () => {
    expect(() => parseAmount("1".repeat(20), "USD")).toThrow("19 digits at most");
    expect(() => parseAmount("1".repeat(19), "USD")).toThrow("not between");
  });

  it("may be zero or negative, or have a cap, where its caller says so", () => {
    expect(parseAmount("0.00", "USD", { leastMinor: 0n })).toBe(0n);
    expect(parseAmount("-0.01", "USD", { leastMinor: -1n })).toBe(-1n);
    expect(() => parseAmount("10.01", "USD", { mostMinor: 1_000n })).toThrow("between 0.01 and 10.00 USD");
  });

  it("comes back from its text, whatever its size and currency", () => {
    fc.assert(
      fc.property(minor, currency, (value, code) => {
        expect(parseAmount(formatAmount(value, code), code, anySign)).toBe(value);
      }),
    );
  });

  it("reads no digit into another place, however many zeros follow", () => {
    fc.assert(
      fc.property(minor, currency, fc.nat({ max: 30 }), (value, code, zeros) => {
        const text = formatAmount(value, code);
        const longer = `${text}${text.includes(".") ? "" : "."}${"0".repeat(zeros + 1)}`;
        expect(parseAmount(longer, code, anySign)).toBe(value);
        expect(() => parseAmount(`${longer}1`, code, anySign)).toThrow("more decimals");
      }),
    );
  });

  it("is never guessed from other text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789.-+eE ,_x") }), (text) => {
        let parsed: bigint | undefined;
        try {
          parsed = parseAmount(text, "USD", anySign);
        } catch (error) {
          expect(error).toMatchObject({ code: "AMOUNT_INVALID" });
          return;
        }
        expect(text).toMatch(/^-?(0|[1-9][0-9]*)(\.[0-9]{1,2}0*)?$/);
        expect(Number(formatAmount(parsed, "USD"))).toBe(Number(text) + 0);
      }),
    );
  });
});
