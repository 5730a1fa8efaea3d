import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkDigitOf, isCardNumber, maskNumber, maskNumbersIn } from "./card_numbers.js";

/** No card number stands in a source file: this makes one of a prefix. */
function cardNumber(prefix: string, length: number, filler = "0"): string {
  const digits = prefix + filler.repeat(length).slice(0, length - prefix.length - 1);
  return digits + checkDigitOf(digits);
}
const visa = cardNumber("4", 16);
const amex = cardNumber("37", 15);
/** The digits in groups of these sizes. */
function groups(digits: string, sizes: readonly number[], separator = " "): string {
  const ends = sizes.map((_, index) => sizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0));
  return ends.map((end, index) => digits.slice(ends[index - 1] ?? 0, end)).join(separator);
}

it("computes the check digit of the standard's example", () => {
  expect(checkDigitOf("7992739871")).toBe("3");
});

describe("a card number", () => {
  it.each([
    ["Visa", "4", [13, 16, 18, 19]],
    ["Mastercard", "55", [16]],
    ["Mastercard", "2720", [16]],
    ["American Express", "34", [15]],
    ["Discover", "6011", [16, 19]],
    ["Diners", "36", [14, 16, 19]],
    ["JCB", "3589", [16, 19]],
    ["UnionPay", "62", [16, 19]],
    ["Maestro", "6759", [13, 19]],
    ["Mir", "2204", [16]],
    ["Elo", "506778", [16]],
    ["Hipercard", "606282", [16]],
  ])("of %s begins with %s and has one of its lengths", (_, prefix, lengths) => {
    const all = Array.from({ length: 12 }, (_, index) => index + 9);
    expect(all.filter((length) => isCardNumber(cardNumber(prefix, length, "13579")))).toEqual(
      expect.arrayContaining([...lengths]),
    );
    expect(isCardNumber(cardNumber(prefix, 12))).toBe(false);
    expect(isCardNumber(cardNumber(prefix, 20))).toBe(false);
  });

  it.each(["0", "1", "2219", "2721", "3500", "58", "77", "90"])("does not begin with %s", (prefix) => {
    expect(isCardNumber(cardNumber(prefix, 16))).toBe(false);
  });

  it("has the one last digit that is right", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^4[0-9]{14}$/), (digits) => {
        const right = [..."0123456789"].filter((digit) => isCardNumber(digits + digit));
        expect(right).toEqual([checkDigitOf(digits)]);
      }),
    );
  });
});

describe("in free text", () => {
  it.each([
    ["solid", visa],
    ["in fours", groups(visa, [4, 4, 4, 4])],
    ["with hyphens", groups(visa, [4, 4, 4, 4], "-")],
    ["of 19 digits", groups(cardNumber("62", 19), [4, 4, 4, 4, 3])],
    ["of 13 digits", groups(cardNumber("4", 13), [4, 4, 4, 1])],
    ["as on American Express", groups(amex, [4, 6, 5])],
    ["as on Diners", groups(cardNumber("36", 14), [4, 6, 4])],
  ])("one %s is masked, whatever stands around it", (_, written) => {
    const masked = maskNumber(written);
    expect(masked).not.toBe(written);
    for (const [before, after] of [
      ["", ""],
      ["card ", "."],
      ["12 ", " 123"],
      ["card_", " 2028"],
      ["(", ")"],
      ["+", "/x"],
      ["1.", ",5"],
    ]) {
      expect(maskNumbersIn(`${before}${written}${after}`)).toBe(`${before}${masked}${after}`);
    }
  });

  it("all are masked", () => {
    expect(maskNumbersIn(`${visa},${amex} ${visa}`)).toBe(
      [`${maskNumber(visa)},${maskNumber(amex)}`, maskNumber(visa)].join(" "),
    );
  });

  it("the first of two that share digits is masked", () => {
    const first = cardNumber("4", 16, "4");
    const second = cardNumber(first.slice(4), 16);
    const text = groups(first + second.slice(-4), [4, 4, 4, 4, 4]);
    expect(maskNumbersIn(text)).toBe(`${maskNumber(text.slice(0, 19))}${text.slice(19)}`);
    expect(isCardNumber(second)).toBe(true);
  });

  it.each([
    ["a wrong check digit", `${visa.slice(0, -1)}${(Number(visa.at(-1)) + 1) % 10}`],
    ["a longer number", `${visa}0000`],
    ["a hash", `a${visa}`],
    ["another hash", `${visa}f`],
    ["milliseconds since 1970", "1764150000000"],
    ["a date and a time", "2026-11-26 10:00:00.123456"],
    ["a UUID", "019c2f3a-7d10-7a5e-9a3d-2b7c1d0e4f55"],
    ["an amount", "9007199254740993.00"],
    ["one masked before", maskNumber(visa)],
  ])("%s stays", (_, text) => {
    expect(maskNumbersIn(text)).toBe(text);
  });

  it("one text in forty of 16 random digits passes for a card, not one in ten", () => {
    const texts = fc.sample(fc.stringMatching(/^[0-9]{16}$/), { seed: 1, numRuns: 20_000 });
    const taken = texts.filter((text) => maskNumbersIn(text) !== text).length;
    expect(taken / texts.length).toBeGreaterThan(0.015);
    expect(taken / texts.length).toBeLessThan(0.035);
  });

  it("masking again changes nothing, and shows ten digits at most", () => {
    const around = fc.string({ unit: fc.constantFrom(..." -.,:abc012345"), maxLength: 8 });
    fc.assert(
      fc.property(around, around, fc.stringMatching(/^4[0-9]{14}$/), (before, after, digits) => {
        const number = digits + checkDigitOf(digits);
        const masked = maskNumbersIn(`${before} ${number} ${after}`);
        expect(masked).not.toContain(number);
        expect(maskNumbersIn(masked)).toBe(masked);
      }),
    );
  });
});

describe("under a key that names it", () => {
  it("a number keeps its first six and last four digits", () => {
    expect(maskNumber("123456789012")).toBe("123456**9012");
    expect(maskNumber("1234 5678 9012 3456")).toBe("1234 56** **** 3456");
  });

  it.each(["9012", "12345678901", "123456******3456", "tok_abc", ""])("%j is no whole number", (text) => {
    expect(maskNumber(text)).toBe(text);
  });
});
