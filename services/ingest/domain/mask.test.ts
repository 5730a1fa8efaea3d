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
  decodeURIComponent(text.replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25")),
  ...[...text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)].map(([each]) =>
    Buffer.from(each, "base64").toString("latin1"),
  ),
];
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
