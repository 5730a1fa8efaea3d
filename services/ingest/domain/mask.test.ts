import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkDigitOf } from "../../../lib/domain/card_numbers.js";
import type { RawBody } from "./document.js";
import { maskBody, maskText } from "./mask.js";

const PAN = "4548812049400004";
const base64 = (text: string) => Buffer.from(text).toString("base64");
/** All that is in a text, however it is encoded. */
const readings = (text: string) => [
  text,
  text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  // Lines of base64 each by itself, and all of them together: from each of four characters on one is right.
  ...[text, text.replaceAll(/\\[rn]|\s/g, "")].flatMap((each) =>
    [...each.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)].flatMap(([run]) =>
      [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("latin1")),
    ),
  ),
];
/** As Ruby's encode64 and MIME do. */
const wrapped = (text: string, width: number) =>
  base64(text).replaceAll(new RegExp(`.{${width}}`, "g"), "$&\n");
const masked = (body: RawBody) => {
  const shown = maskBody(body);
  return "text" in shown ? shown.text : JSON.stringify(shown.value);
};

/** First digits and lengths of card numbers. */
const SCHEMES = [
  ["4", 16],
  ["51", 16],
  ["34", 15],
  ["6011", 16],
  ["36", 14],
] as const;
const pan = fc
  .tuple(fc.constantFrom(...SCHEMES), fc.stringMatching(/^[0-9]{15}$/))
  .map(([[prefix, length], rest]) => {
    const digits = (prefix + rest).slice(0, length - 1);
    return digits + checkDigitOf(digits);
  });
const word = fc.stringMatching(/^[a-z]{1,8}$/);

/** Bodies with a number in a field that is called as somebody likes. */
const bodies: readonly ((field: string, value: string) => RawBody)[] = [
  (field, value) => ({ value: { [field]: value } }),
  (field, value) => ({ value: { list: [{ deep: { [field]: `card ${value}.` } }] } }),
  (field, value) => ({ text: JSON.stringify({ [field]: value }) }),
  (field, value) => ({ text: `<a><${field} type="string">${value}</${field}></a>` }),
  (field, value) => ({ text: `<a ${field}="${value}"/>` }),
  (field, value) => ({ text: `<a><${field}><![CDATA[${value}]]></${field}></a>` }),
  (field, value) => ({ text: `${field};status\n${value};ok\n` }),
  (field, value) => ({ text: `${field}=${value}&status=ok` }),
  (field, value) => ({ text: `x=${encodeURIComponent(`<${field}>${value}</${field}>`)}` }),
  (field, value) => ({ text: `x=${encodeURIComponent(base64(`{"${field}":"${value}"}`))}` }),
  (field, value) => ({ value: { payload: base64(`<a><${field}>${value}</${field}></a>`) } }),
  (field, value) => ({ value: { content: `<a><${field}>${value}</${field}></a>` } }),
  (field, value) => ({ value: { content: `${field}%3D${value}%26status%3Dok` } }),
  (field, value) => ({ value: { bt_payload: wrapped(`<a><${field}>${value}</${field}></a>`, 60) } }),
  (field, value) => ({
    text: JSON.stringify({ bt_payload: wrapped(`<a><${field}>${value}</${field}></a>`, 20) }),
  }),
  (field, value) => ({
    text: `bt_payload=${encodeURIComponent(wrapped(`<a><${field}>${value}</${field}></a>`, 60))}`,
  }),
  (field, value) => ({
    value: {
      Ds_MerchantParameters: Buffer.from(`{"shop":"Librer\u00eda","${field}":"${value}"}`, "latin1").toString(
        "base64",
      ),
    },
  }),
  (field, value) => ({
    text: `<a><${field}>${[...value].map((digit) => `&#00000${digit.charCodeAt(0)};`).join("")}</${field}></a>`,
  }),
];

describe("card data", () => {
  it("never survives in any field of any format", () => {
    fc.assert(
      fc.property(pan, word, fc.constantFrom(...bodies), (number, field, make) => {
        fc.pre(!/^(?:id|ids|ref|refs|key|keys|at|tel|time|date|hash|token)$/.test(field));
        for (const reading of readings(masked(make(field, number)))) {
          expect(reading).not.toContain(number);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each(bodies.map((make, index) => [index, make] as const))("hides a CVV, form %i", (_, make) => {
    for (const reading of readings(masked(make("cvv2", "285")))) {
      expect(reading).not.toContain("285");
    }
  });

  it("that an error of Redsys repeats is gone, and the rest is as it was", () => {
    const error = `<RETORNOXML><DS_MERCHANT_PAN>${PAN}</DS_MERCHANT_PAN><DS_MERCHANT_CVV2>285</DS_MERCHANT_CVV2><DS_MERCHANT_ORDER>251120AX11</DS_MERCHANT_ORDER></RETORNOXML>`;
    expect(maskText(error)).toBe(error.replace(PAN, "454881******0004").replace("285", "***"));
  });

  it("written as escapes is found too", () => {
    const escaped = [...PAN].map((digit) => `&#x3${digit};`).join("");
    expect(maskText(`<a><b>${escaped}</b></a>`)).toContain("454881******0004");
    const json = [...PAN].map((digit) => `\\u003${digit}`).join("");
    expect(maskText(`{"b":"${json}"`)).toContain("454881******0004");
  });
});

describe("a card number in", () => {
  it.each<[string, RawBody]>([
    ...Array.from({ length: 62 }, (_, offset): [string, RawBody] => [
      `base64 in lines, from byte ${offset} on`,
      { value: { bt_payload: wrapped(`<a>${"x".repeat(offset)}<b>${PAN}</b></a>`, 60) } },
    ]),
    ["base64 after a =", { value: { url: `https://example.test/?p=${base64(PAN)}` } }],
    ["base64 after a path", { value: { url: `https://example.test/path/${base64(PAN)}` } }],
    ["a line of a log", { text: `log p=${base64(`{"a":"${PAN}"}`)} end` }],
    ["base64 with a control character", { value: { a: base64(`\u0002${PAN}\u0003`) } }],
    ["track 2", { value: { a: `;${PAN}=25121010000012345678?` } }],
    ["track 2 with a letter", { value: { a: `${PAN}D25121010000012345678` } }],
    ["track 1", { value: { a: `%B${PAN}^PEREZ/ANA^25121010000012345678?` } }],
    ["groups with points", { value: { a: PAN.replaceAll(/.{4}(?=.)/g, "$&.") } }],
    ["groups with hard blanks", { value: { a: PAN.replaceAll(/.{4}(?=.)/g, "$&\u00a0") } }],
    ["text that is too long", { text: `{"a":"${"x ".repeat(140_000)}","b":"${base64(PAN)}"` }],
  ])("%s is hidden", (_, body) => {
    for (const reading of readings(masked(body))) {
      expect(reading.replaceAll(/[.\u00a0]/g, "")).not.toContain(PAN);
      expect(reading).not.toContain("0000012345678");
    }
  });

  it("what ISO 8583 has of a stripe, a PIN and a chip is gone", () => {
    const de = { 35: "9999=25", 45: "B9999", 52: "01A2", 55: "9F26", 39: "00" };
    expect(maskBody({ value: { mti: "0100", de, DE52: "01A2" } })).toEqual({
      value: { mti: "0100", de: { 35: "***", 45: "***", 52: "***", 55: "***", 39: "00" }, DE52: "***" },
    });
  });
});

describe("a body that is made to take long", () => {
  it.each<[string, RawBody]>([
    ["elements with blanks", { text: `<a>${" ".repeat(300)}x`.repeat(840) }],
    ["one element with blanks", { text: `<a>${" ".repeat(250_000)}x` }],
    ["tables in a list", { value: Array.from({ length: 12_000 }, () => "a,b,c,d\n1,2,n") }],
    ["tables in base64 in a list", { value: Array.from({ length: 9_000 }, () => base64("a,b,c,d\n1,2,n")) }],
    ["base64 all over", { text: "QUJD".repeat(65_000) }],
    ["lines of base64", { text: "QUJDQUJDQUJDQUJD\n".repeat(15_000) }],
    ["digits", { text: "4".repeat(260_000) }],
    ["digits in groups", { text: "4111.".repeat(52_000) }],
    ["stripes", { text: `${PAN}D2512 `.repeat(11_000) }],
  ])("%s is masked in time", (_, body) => {
    const before = process.cpuUsage();
    maskBody(body);
    // 100 ms on a free machine. This is of the whole process, in which other files of tests run too.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

describe("what is no card's stays as it was", () => {
  it.each<RawBody>([
    { value: { created: 1763650800000, phone: "+5215555555555", reference: PAN, order: { id: PAN } } },
    { value: { oxxo: "98000000123456", token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" } },
    { text: `<a><transId>${PAN}</transId><phone>5215555555555</phone></a>` },
    { text: `transaction_id;amount\n${PAN};10.00\n` },
    { text: `reference=${PAN}&amount=10.00` },
    { text: "not, a table\nat all" },
  ])("%j", (body) => {
    expect(maskBody(body)).toBe(body);
  });
});
