import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCardData, maskCardData, maskCardText } from "./card_data.js";
import { checkDigitOf, maskNumber } from "./card_numbers.js";
import { JsonNumber } from "./json.js";

/** No card number stands in a source file. */
const digits = `4${"0".repeat(14)}`;
const number = digits + checkDigitOf(digits);
const shown = maskNumber(number);
const grouped = number.replaceAll(/(....)(?=.)/g, "$1 ");

describe("masked", () => {
  it.each<[string, unknown, unknown, string[]]>([
    [
      "a number by its key",
      { card_number: "123456789012345" },
      { card_number: "123456*****2345" },
      ["/card_number"],
    ],
    [
      "a number of an object",
      { card: { number: "123456789012345" } },
      { card: { number: "123456*****2345" } },
      ["/card/number"],
    ],
    ["a CVV", { card: { cvc: "123", exp: "12/28" } }, { card: { cvc: "***", exp: "12/28" } }, ["/card/cvc"]],
    ["a CVV that is a number", [{ cvv2: 123 }], [{ cvv2: "***" }], ["/0/cvv2"]],
    ["CVVs in a list", { cvv: ["1", { a: "2" }] }, { cvv: ["***", { a: "2" }] }, ["/cvv/0"]],
    [
      "a number in free text",
      { note: `paid with ${grouped}, thanks` },
      { note: `paid with ${maskNumber(grouped)}, thanks` },
      ["/note"],
    ],
    ["a JSON number", { note: Number(number) }, { note: shown }, ["/note"]],
    [
      "a JSON number that JavaScript cannot hold",
      { a: new JsonNumber(`${number}.0`) },
      { a: `${shown}.0` },
      ["/a"],
    ],
    ["a text by itself", number, shown, [""]],
    ["a key", { [number]: true }, { [shown]: true }, [`/${shown}`]],
    ["a key with a slash", { "a/b~c": number }, { "a/b~c": shown }, ["/a~1b~0c"]],
  ])("is %s", (_, value, expected, pointers) => {
    const before = structuredClone(value);
    expect(maskCardData(value)).toEqual({ value: expected, pointers });
    expect(value).toEqual(before);
  });

  it.each<[string, unknown]>([
    [
      "digits in ids and references",
      { customer_id: number, reference: number, order: { number }, ids: [number] },
    ],
    ["digits in times and phones", { created_at: number, phone: number }],
    ["what is masked", { card_number: shown, cvv: "***", note: shown }],
    ["what a check of a CVV gave", { cvv: "M", cvc: null, cvv2: true, cvc_check: "pass" }],
    ["what a number is not", { card_number: "", pan: "tok_1", last4: "0002", pan_last4: "0002" }],
    [
      "amounts and ids",
      { amount: 100.5, n: new JsonNumber("9007199254740993"), id: "019c2f3a-7d10-7a5e-9a3d-2b7c1d0e4f55" },
    ],
  ])("is not %s", (_, value) => {
    const masked = maskCardData(value);
    expect(masked.value).toBe(value);
    expect(masked.pointers).toEqual([]);
  });
});

describe("text of any format", () => {
  it.each([
    [
      "XML",
      `<card><num>${number}</num><cvv2>123</cvv2></card>`,
      `<card><num>${shown}</num><cvv2>***</cvv2></card>`,
    ],
    ["XML with a prefix", "<p:CVC>123</p:CVC>", "<p:CVC>***</p:CVC>"],
    ["an attribute", 'card cvc="123" type="visa"', 'card cvc="***" type="visa"'],
    [
      "a form",
      `https://x.example/?pan=123456789012345&cvv=123`,
      `https://x.example/?pan=123456*****2345&cvv=***`,
    ],
    [
      "JSON",
      `{"cvv": "123", "cvc":null, "pan" : "${grouped}"}`,
      `{"cvv": "***", "cvc":null, "pan" : "${maskNumber(grouped)}"}`,
    ],
    ["a line of CSV", `2026-11-26;${number};10.00`, `2026-11-26;${shown};10.00`],
    [
      "an id",
      `<order_id>${number}</order_id> reference: ${number}, ${number}`,
      `<order_id>${number}</order_id> reference: ${number}, ${shown}`,
    ],
  ])("is masked in %s", (_, text, expected) => {
    expect(maskCardText(text)).toBe(expected);
    expect(maskCardText(expected)).toBe(expected);
  });

  it("takes time in proportion to its length", () => {
    const time = (text: string) => {
      const before = process.cpuUsage().user;
      maskCardText(text);
      return process.cpuUsage().user - before;
    };
    for (const piece of ["1", "a", "a.", "cvv=", "4444 ", "a :  ", "<a>"]) {
      // A square of it would be minutes.
      expect(time(piece.repeat(256 * 1_024))).toBeLessThan(5_000_000);
    }
  });
});

describe("found", () => {
  it("is what would be masked, by its place and never by its value", () => {
    const body = { amount: "1.00", card: { number, cvv: "987" } };
    expect(findCardData(body)).toBe("/card/number");
  });

  it("is nothing that was masked, whatever it was", () => {
    const text = fc.oneof(fc.string(), fc.constantFrom(number, grouped, "123", "pan=123456789012345"));
    const key = fc.oneof(fc.string(), fc.constantFrom("cvv", "card", "number", "note", "id"));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.array(tie("value")),
        fc.dictionary(key, tie("value")),
      ),
    }));
    fc.assert(
      fc.property(value, (before) => {
        expect(findCardData(maskCardData(before).value)).toBeUndefined();
      }),
    );
  });
});
