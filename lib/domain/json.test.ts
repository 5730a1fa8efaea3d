import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonNumber, numberText, writeJson } from "./json.js";
import { parseJson } from "./json_parse.js";

it("writes every digit of a bigint, and of a number that was read", () => {
  expect(writeJson({ sum: 2n ** 70n, read: parseJson("[9007199254740993,100.50,1e400]") })).toBe(
    '{"sum":1180591620717411303424,"read":[9007199254740993,100.50,1e400]}',
  );
});

it("writes what it read, byte for byte but for blanks", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      fc.pre(!text.includes("__proto__"));
      expect(writeJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

it("leaves out members that are not there, and gives dates as text", () => {
  expect(writeJson({ a: undefined, b: [], c: null, at: new Date(0) })).toBe(
    '{"b":[],"c":null,"at":"1970-01-01T00:00:00.000Z"}',
  );
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, () => 1, Symbol("a")])(
  "has no text for %s",
  (value) => {
    expect(() => writeJson([value])).toThrow(TypeError);
  },
);

it("shows a number's text to those who use JSON.stringify", () => {
  expect(JSON.stringify({ amount: new JsonNumber("100.50") })).toBe('{"amount":"100.50"}');
});

it.each([
  [new JsonNumber("1e400"), "1e400"],
  [100.5, "100.5"],
  ["100.50", "100.50"],
  [null, null],
])("tells the text of a number, and nothing of other values: %j", (value, text) => {
  expect(numberText(value)).toBe(text);
});
